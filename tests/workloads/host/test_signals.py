"""Signals that wait, and those that nobody listens to."""

from __future__ import annotations

import os
import signal

import pytest

from workloads.host.signals import deferred


def test_the_first_signal_takes_effect_at_the_end() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        _interrupted_and_terminated()
    assert signal.getsignal(signal.SIGTERM) == before


def _interrupted_and_terminated() -> None:
    with deferred() as pending:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        assert pending.number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            pending.check()


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with deferred() as pending:
            os.kill(os.getpid(), signal.SIGHUP)
            assert pending.number is None
    finally:
        signal.signal(signal.SIGHUP, before)
