# Aliases; python3 start.py does the work and needs no make.
.PHONY: setup demo test check bench
setup demo test check bench:
	python3 start.py $@
