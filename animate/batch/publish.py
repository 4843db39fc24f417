"""Copy what is done to other storage: anything that fsspec reaches (s3://, gs://, sftp://, a mounted folder ...)."""

from __future__ import annotations

from pathlib import Path

from animate.batch.ledger import Ledger
from animate.errors import BatchError


class Publisher:
    """Storage that finished shots are copied to: outputs first, the marker last, so that a marker means complete.

    Parameters
    ----------
    url : str
        Of a folder, as fsspec takes it.

    Raises
    ------
    BatchError
        If there is no such storage, or what reaches it is not installed.
    """

    def __init__(self, url: str):
        from fsspec.core import url_to_fs

        self.url = url
        try:
            self.storage, self.root = url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise BatchError(f"{url!r} cannot be published to: {error}") from None

    def copy(self, ledger: Ledger, shot_id: str, outputs: dict[str, str]) -> None:
        """Copy the outputs of a shot, unless they are there already.

        Parameters
        ----------
        ledger : Ledger
        shot_id : str
        outputs : dict of str to str
            Names and hashes, from the shot's marker.

        Raises
        ------
        BatchError
            If the storage does not take them.
        """
        marker = (ledger.markers / f"{shot_id}.json").read_bytes()
        there = f"{self.root}/done/{shot_id}.json"
        try:
            if self.storage.exists(there) and self.storage.cat_file(there) == marker:
                return
            self.storage.makedirs(f"{self.root}/done", exist_ok=True)
            if self.storage.exists(there):
                self.storage.rm_file(there)  # the old one does not speak for new outputs
            for name in outputs:
                self.storage.put_file(str(Path(ledger.out, name)), f"{self.root}/{name}")
            self.storage.pipe_file(there, marker)
        except Exception as error:  # storages raise errors of their own kinds
            raise BatchError(f"{shot_id} could not be copied to {self.url}: {error or type(error).__name__}") from error
