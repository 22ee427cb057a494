"""What one client is and wants: what it can do, which folders it has open, how it is set.

Holds no document (see `lsp_server.documents`) and starts nothing.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

from lsp_server.convert import Encoding, encoding_named, path_of, uri_of
from lsp_server.documents import Documents
from lsp_server.settings import EditorSettings, read_settings, section_of
from lsp_server.wire.errors import ClientGone, ClientRefused

if TYPE_CHECKING:
    from lsp_server.outlines import Outlines

Ask = Callable[[str, object], Awaitable[Any]]
"""Sends a request to the client and returns its answer as plain JSON."""
Tell = Callable[[str, object], None]
"""Sends a notification; never raises."""

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """What a client draws itself (`initializationOptions.client`)."""

    runs: bool = False
    review: bool = False
    tests: bool = False
    progress: bool = True
    """Progress that the server makes by itself is wanted; else the client draws it from runs."""


class Session:
    """One client, from its `initialize` on."""

    outlines: "Outlines"
    """Tests and stubs of its open documents; given by `lsp_server.following`."""

    def __init__(self, *, ask: Ask, tell: Tell) -> None:
        self.documents: Final = Documents()
        self.client = ClientOptions()
        self.trusted = True
        self.encoding: Encoding = "utf-16"
        self.capabilities = types.ClientCapabilities()
        self.folders: tuple[Path, ...] = ()
        """Open folders of this machine, as the client orders them."""
        self.on_settings: list[Callable[[], None]] = []
        """Called when settings or trust may be others now."""
        self.on_results: list[Callable[[], None]] = []
        """Called when tests may have other results than before."""
        self.more_actions: list[Callable[[str, types.Range], Sequence[types.CodeAction]]] = []
        """Asked for code actions of other rooms, by URI and range; must answer at once."""
        self._ask: Final = ask
        self._tell: Final = tell
        self._given: object = None
        """Settings as the client sent them by itself."""
        self._kept: dict[Path | None, EditorSettings] = {}
        self._age = 0
        self._warned: set[str] = set()
        self._tops: dict[Path, Path | None] = {}

    def begin(self, params: types.InitializeParams, *, encoding: str | None) -> None:
        """Take what `initialize` says. Wrong options are passed over, each with a warning."""
        self.capabilities = params.capabilities
        self.encoding = encoding_named(encoding)
        self.documents.encoding = self.encoding
        options = params.initialization_options
        options = options if isinstance(options, Mapping) else {}
        self.trusted = options.get("trusted") is not False
        client = options.get("client")
        if isinstance(client, Mapping):
            runs = client.get("runs") is True
            self.client = ClientOptions(
                runs=runs,
                review=client.get("review") is True,
                tests=client.get("tests") is True,
                progress=client.get("progress", not runs) is True,
            )
        self._given = options.get("settings")
        named = [folder.uri for folder in params.workspace_folders or ()]
        if not named and params.root_uri:
            named = [params.root_uri]
        elif not named and params.root_path:
            named = [uri_of(Path(params.root_path))]
        self.folders = _local(named)

    async def ready(self) -> None:
        """Begin to follow the client's settings, once it has said `initialized`.

        Raises: ClientGone.
        """
        if self._can_register_settings:
            registration = {
                "id": "greenloop-settings",
                "method": types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                "registerOptions": {"section": "greenloop"},
            }
            try:
                await self._ask(types.CLIENT_REGISTER_CAPABILITY, {"registrations": [registration]})
            except ClientRefused as error:  # it goes on with what it was told at the start
                _LOG.info("the client tells no changes of settings: %s", error)
        for folder in self.folders or (None,):
            await self.settings(folder)

    def change_folders(self, event: types.WorkspaceFoldersChangeEvent) -> None:
        """Take folders that were opened and closed."""
        gone = set(_local([folder.uri for folder in event.removed]))
        come = _local([folder.uri for folder in event.added])
        kept = [folder for folder in self.folders if folder not in gone]
        self.folders = (*kept, *(folder for folder in come if folder not in kept))
        self._tops.clear()
        self._forget_settings()
        self._changed()

    def trust(self, *, trusted: bool) -> None:
        """Take whether the user trusts what is open here."""
        if trusted != self.trusted:
            self.trusted = trusted
            self._changed()

    async def change_settings(self, settings: object) -> None:
        """Take `workspace/didChangeConfiguration`: new settings, or word that there are some."""
        if (given := section_of(settings)) is not None:
            self._given = given
        self._warned.clear()
        self._forget_settings()
        for folder in self.folders or (None,):
            await self.settings(folder)
        self._changed()

    async def settings(self, folder: Path | None) -> EditorSettings:
        """Return the settings of a folder, from the client where it can be asked."""
        folder = self.folder_of(folder) if folder is not None else None
        if (kept := self._kept.get(folder)) is not None:
            return kept
        age = self._age
        settings = self._read(await self._asked(folder), folder)
        if age == self._age:  # else they have changed meanwhile, and are asked for again
            self._kept[folder] = settings
        return settings

    def settings_now(self, folder: Path | None) -> EditorSettings:
        """Return the settings of a folder as far as they are known without asking."""
        folder = self.folder_of(folder) if folder is not None else None
        kept = self._kept.get(folder)
        return kept if kept is not None else read_settings(self._given)[0]

    def folder_of(self, path: Path) -> Path | None:
        """Return the innermost open folder around a path, else the first below; None without."""
        around = [one for one in self.folders if path == one or one in path.parents]
        below = (one for one in self.folders if path in one.parents)
        return max(around, key=lambda one: len(one.parts), default=next(below, None))

    def top_of(self, path: Path) -> Path | None:
        """Return the top of the repository that a path lies in; None outside of any.

        Looks at the disk, but at each folder only once until folders change. A place that may not
        be looked at, or whose name no file can have, is in no repository.
        """
        for folder in (path, *path.parents) if _is_there(path, as_folder=True) else path.parents:
            if folder in self._tops:
                return self._tops[folder]
            if _is_there(folder / ".git"):
                self._tops[folder] = folder
                return folder
        return None

    @property
    def _can_register_settings(self) -> bool:
        workspace = self.capabilities.workspace
        changes = workspace.did_change_configuration if workspace else None
        return bool(changes and changes.dynamic_registration)

    async def _asked(self, folder: Path | None) -> object:
        workspace = self.capabilities.workspace
        if not (workspace and workspace.configuration):
            return self._given
        scope = uri_of(folder) if folder is not None else None
        item = {"section": "greenloop", **({"scopeUri": scope} if scope else {})}
        try:
            answer = await self._ask(types.WORKSPACE_CONFIGURATION, {"items": [item]})
        except (ClientRefused, ClientGone) as error:
            _LOG.warning("the client does not say how it is set: %s", error)
            return self._given
        first = answer[0] if isinstance(answer, list) and answer else None
        return self._given if first is None else first

    def _read(self, given: object, folder: Path | None) -> EditorSettings:
        settings, wrong = read_settings(given)
        for one in wrong:
            if one.message not in self._warned:
                self._warned.add(one.message)
                _LOG.warning("%s (%s)", one.message, folder or "no folder")
                level = types.MessageType.Warning.value
                message = {"type": level, "message": f"Greenloop: {one.message}"}
                self._tell(types.WINDOW_SHOW_MESSAGE, message)
        return settings

    def _forget_settings(self) -> None:
        self._age += 1
        self._kept.clear()

    def _changed(self) -> None:
        for call in self.on_settings:
            call()


def _local(uris: list[str]) -> tuple[Path, ...]:
    """Return the folders that lie on this machine; virtual ones are passed over."""
    return tuple(path for uri in uris if (path := path_of(uri)) is not None)


def _is_there(path: Path, *, as_folder: bool = False) -> bool:
    """Look whether something is at a path; nothing is where nobody may look."""
    try:
        return path.is_dir() if as_folder else path.exists()
    except OSError:
        return False
