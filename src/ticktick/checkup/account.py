"""The user's account on this computer: key, secret and token, and who else can read them."""

import os
import shutil
import subprocess
from datetime import timedelta

from ticktick.checkup.finding import NotChecked
from ticktick.checkup.patient import Patient
from ticktick.config import credentials_of
from ticktick.domain.clock import NS_PER_S, ist
from ticktick.errors import ConfigError
from ticktick.login import Login, market_token

_GIT_LIMIT_S = 5.0


def credentials(patient: Patient) -> str:
    """Key and secret, readable by their owner alone and kept out of version control."""
    found = credentials_of(patient.settings, patient.workspace.credentials)
    _refuse_tracked(patient)
    if found.api_key is None or found.api_secret is None:
        raise NotChecked("no API key: `ticktick demo` needs none, `ticktick login` asks for it")
    return "key and secret are there, only you can read them"


def token(patient: Patient) -> str:
    """The end of the token that reads market data, read from the token itself."""
    held = market_token(patient.settings, patient.workspace.credentials)
    if held is None:
        raise NotChecked("no access token: `ticktick demo` needs none, `ticktick login` gets one")
    login = Login(held)
    login.bearer(patient.now_ns)
    expiry_ns = login.expires_ns
    moment = f"{ist(expiry_ns):%d %b %Y %H:%M} IST"
    left = timedelta(seconds=(expiry_ns - patient.now_ns) // NS_PER_S)
    return f"{held.name} is good until {moment}, for {left}"


def _refuse_tracked(patient: Patient) -> None:
    """Raise ConfigError if git keeps the credentials: whoever gets the repository gets them."""
    path, root = patient.workspace.credentials, patient.workspace.root
    git = shutil.which("git")
    if git is None or not path.exists() or not (root / ".git").exists():
        return
    asked = subprocess.run(  # noqa: S603  git, with a path of ours
        [git, "ls-files", "--error-unmatch", os.fspath(path)],
        cwd=root,
        capture_output=True,
        timeout=_GIT_LIMIT_S,
    )
    if asked.returncode == 0:
        raise ConfigError(
            f"git keeps {path}, which holds secrets: run `git rm --cached {path}`, and get a new "
            "secret from the broker if the repository was shared"
        )
