"""The keyring file: wrapping keys for a machine without AWS, shared with the local codec server."""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from typing import Callable, Mapping

from aws_encryption_sdk.identifiers import Algorithm
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey

from .errors import KeyringFileError
from .keyring_document import Keyring, WrongDocument, parse_keyring

_LOGGER = logging.getLogger(__name__)
_LARGEST_FILE = 1_048_576
_SECONDS_BETWEEN_LOOKS = 1.0
#: How long what a file held counts while it cannot be used: somebody may have wanted to take a key out of it.
_SECONDS_KEPT = 300.0


class KeyringFile:
    """All keys of a keyring file read, its ``current`` writes, and a changed file is picked up within a second.

    While the file is gone, broken or open to others, the keys stay as they were for five minutes, and the log says why;
    then nothing is read or written.

    :param path: the file, such as ``.codec-server/keyring.json``
    :raises KeyringFileError: when it cannot be read at the start
    """

    is_local = True
    asks_for_each_key = False

    def __init__(self, path: str | os.PathLike[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = os.fspath(path)
        self._clock = clock
        self._lock = threading.Lock()
        self._text = _read_private_file(self._path)
        self._keyring = _parse(self._path, self._text)
        self._generation = 0
        self._problem: KeyringFileError | None = None
        self._usable_at = clock()
        self._next_look = clock() + _SECONDS_BETWEEN_LOOKS

    def generation(self) -> int:
        self._look()
        return self._generation

    def check(self) -> None:
        self._look()

    def generate(self, context: Mapping[str, str]) -> DataKey:
        self._look()
        return self._keyring.generate(context)

    def unwrap(
        self, wrapped: frozenset[EncryptedDataKey], algorithm: Algorithm, context: Mapping[str, str]
    ) -> DataKey:
        self._look()
        return self._keyring.unwrap(wrapped, algorithm, context, self._path)

    def _look(self) -> None:
        if self._clock() >= self._next_look:
            self._read_again()
        problem = self._problem
        if problem is None:
            self._usable_at = self._clock()
        elif self._clock() >= self._usable_at + _SECONDS_KEPT:
            raise KeyringFileError(str(problem))

    def _read_again(self) -> None:
        with self._lock:
            if self._clock() < self._next_look:
                return
            self._next_look = self._clock() + _SECONDS_BETWEEN_LOOKS
            try:
                text = _read_private_file(self._path)
                keyring = self._keyring if text == self._text else _parse(self._path, text)
            except KeyringFileError as error:
                if str(error) != str(self._problem):
                    _LOGGER.warning("%s The keys stay as they were for five minutes at most.", error)
                self._problem = error
                return
            self._problem = None
            if text == self._text:
                return
            self._text, self._keyring = text, keyring
            self._generation += 1


def _read_private_file(path: str) -> str:
    try:
        # Without waiting, should it be a pipe that nobody writes to.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise KeyringFileError(f"The keyring {path} does not exist.") from None
    except OSError as error:
        raise KeyringFileError(f"The keyring {path} cannot be read ({error.strerror}).") from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise KeyringFileError(f"The keyring {path} is not a file.")
        if status.st_size > _LARGEST_FILE:
            raise KeyringFileError(f"The keyring {path} is too large: {status.st_size} bytes.")
        # Windows has no such mode: every file looks readable by all.
        if status.st_mode & 0o077 and os.name != "nt":
            mode = format(status.st_mode & 0o777, "o")
            raise KeyringFileError(
                f'The keyring {path} can be read or changed by others (mode {mode}): run "chmod 600 {path}".'
            )
        try:
            return file.read().decode("utf-8")
        except UnicodeDecodeError:
            raise KeyringFileError(f"The keyring {path} is not text in UTF-8.") from None


def _parse(path: str, text: str) -> Keyring:
    try:
        return parse_keyring(text)
    except WrongDocument as error:
        raise KeyringFileError(f"The keyring {path} cannot be used: {error}.") from None
