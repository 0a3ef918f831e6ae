"""The runner: the part of a worker process that has jobs in hand."""

from generation.runner.process import RunnerProcess, Stopping, current_runner, start_runner

__all__ = ["RunnerProcess", "Stopping", "current_runner", "start_runner"]
