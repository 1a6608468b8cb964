"""Securities' numbers: an equity share gets a new one when its face value changes."""

_LENGTH = 12


def next_isin(isin: str) -> str:
    """The number of the issuer's next share: the two digits before the check digit count on.

    Raises ValueError if there is none.
    """
    body, serial = isin[: _LENGTH - 3], isin[_LENGTH - 3 : _LENGTH - 1]
    if len(isin) != _LENGTH or not serial.isdecimal() or serial == "99":
        raise ValueError(f"{isin} has no successor")
    number = f"{body}{int(serial) + 1:02d}"
    return number + check_digit(number)


def check_digit(number: str) -> str:
    """The last character of an ISIN: its letters as numbers from 10 on, then Luhn's sum."""
    digits = [int(digit) for letter in number for digit in str(int(letter, 36))]
    doubled = [2 * digit for digit in digits[::-2]]
    total = sum(divmod(value, 10)[0] + value % 10 for value in doubled) + sum(digits[-2::-2])
    return str(-total % 10)
