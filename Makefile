# Aliases; python3 start.py does the work and needs no make.
.PHONY: setup demo test check bench screenshots
setup demo test check bench screenshots:
	python3 start.py $@
