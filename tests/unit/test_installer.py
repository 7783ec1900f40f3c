"""The rootless installer's own decisions. Nothing here asks a network or an apt."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "asterisk"
MACHINE_NAME = "x86_64"


@pytest.fixture(scope="module")
def installer() -> Iterator[ModuleType]:
    """`asterisk/` is data, not a package: its script and the two modules beside it are loaded by path."""
    names = ("apt_sources", "private_apt", "install")
    sys.path.insert(0, str(FOLDER))
    try:
        for name in names:
            spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            spec.loader.exec_module(module)
        yield sys.modules["install"]
    finally:
        sys.path.remove(str(FOLDER))
        for name in names:
            sys.modules.pop(name, None)


@pytest.fixture
def apt_sources(installer: ModuleType) -> ModuleType:
    return sys.modules["apt_sources"]


@pytest.fixture
def private_apt(installer: ModuleType) -> ModuleType:
    return sys.modules["private_apt"]


def etc_apt(folder: Path, **files: str) -> Path:
    (folder / "sources.list.d").mkdir()
    for name, text in files.items():
        where = folder / "sources.list" if name == "one_line" else folder / "sources.list.d" / f"{name}.sources"
        where.write_text(text)
    return folder


def test_mirrors_are_read_from_both_formats(apt_sources: ModuleType, tmp_path: Path) -> None:
    folder = etc_apt(
        tmp_path,
        debian="Types: deb deb-src\n# a comment\nURIs: http://one.example/debian/\nSuites: bookworm\n bookworm-x\n\n"
        "Types: deb\nURIs: http://one.example/debian-security\nSuites: bookworm-security\n",
        one_line="# deb http://off.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] https://two.example/debian bookworm main contrib\n"
        "deb-src https://three.example/debian bookworm main\ndeb cdrom:[x]/ bookworm main\n",
    )
    assert apt_sources.mirrors(folder) == ["http://one.example/debian", "https://two.example/debian"]


def test_disabled_and_source_only_stanzas_do_not_count(apt_sources: ModuleType) -> None:
    text = "Types: deb\nURIs: http://a/debian\nSuites: x\nEnabled: no\n\nTypes: deb-src\nURIs: http://b/debian\n"
    assert apt_sources.parse_deb822(text) == []


def test_debian_itself_is_tried_before_other_repositories(apt_sources: ModuleType, tmp_path: Path) -> None:
    text = "deb http://tools.example/apt stable main\ndeb http://one.example/debian bookworm main\n"
    found = apt_sources.mirrors(etc_apt(tmp_path, one_line=text))
    assert found == ["http://one.example/debian", "http://tools.example/apt"]


def test_no_mirror_is_an_error_that_says_what_to_do(
    apt_sources: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = tmp_path / "keyring.gpg"
    monkeypatch.setattr(apt_sources, "KEYRING", keyring)
    with pytest.raises(apt_sources.InstallError, match="debian-archive-keyring"):
        apt_sources.sources(tmp_path)
    keyring.touch()
    monkeypatch.delenv("CORDBOARD_DEBIAN_MIRROR", raising=False)
    with pytest.raises(apt_sources.InstallError, match="CORDBOARD_DEBIAN_MIRROR"):
        apt_sources.sources(tmp_path)
    monkeypatch.setenv("CORDBOARD_DEBIAN_MIRROR", "http://mine.example/debian/")
    assert apt_sources.sources(tmp_path) == ["http://mine.example/debian"]


def test_the_closure_is_what_apt_would_fetch(private_apt: ModuleType) -> None:
    text = (
        "Reading package lists...\nThe following NEW packages will be installed:\n  libc6\n"
        "'http://m.example/debian/pool/a/a_1%3a2-3_amd64.deb' a_1%3a2-3_amd64.deb 1234 SHA256:00ff\n"
        "'http://m.example/debian/pool/l/libc6_2_all.deb' libc6_2_all.deb 99 SHA256:00ff\n"
    )
    assert private_apt.parse_closure(text) == [("a_1%3a2-3_amd64.deb", 1234), ("libc6_2_all.deb", 99)]


def test_apt_keeps_checking_signatures_and_ignores_what_the_machine_has(
    installer: ModuleType, private_apt: ModuleType, tmp_path: Path
) -> None:
    apt = private_apt.PrivateApt(tmp_path, private_apt.MACHINES[MACHINE_NAME])
    apt.configure("http://m.example/debian")
    configuration = (tmp_path / "apt.conf").read_text()
    for weakening in ("AllowUnauthenticated", "AllowInsecure", "trusted=yes", "Verify-Peer"):
        assert weakening not in configuration
    assert "signed-by=/usr/share/keyrings/debian-archive-keyring.gpg" in (tmp_path / "sources.list").read_text()
    assert (tmp_path / "status").read_bytes() == b""


@pytest.mark.parametrize(
    ("stderr", "cure"),
    [
        ("E: Write error - write (28: No space left on device)", "disk is full"),
        ("W: GPG error: NO_PUBKEY 0E98404D386FA1D9", "debian-archive-keyring"),
        ("E: Unable to locate package asterisk", "full Debian mirror"),
        ("E: The repository 'http://m x' does not have a Release file.", "CORDBOARD_DEBIAN_MIRROR"),
        ("E: Failed to fetch: Could not resolve 'm.example'", "network"),
    ],
)
def test_apts_complaints_come_with_a_cure(private_apt: ModuleType, stderr: str, cure: str) -> None:
    assert cure in private_apt.explain(stderr, "update")


def test_a_marker_is_current_only_for_the_groups_it_names(
    installer: ModuleType, private_apt: ModuleType, tmp_path: Path
) -> None:
    machine = private_apt.MACHINES[MACHINE_NAME]
    marker = tmp_path / "marker.json"
    nothing = installer.Installed.read(marker)
    assert not nothing.is_current(["asterisk"], machine)
    written = installer.Installed({"asterisk": installer.fingerprint("asterisk", machine)}, frozenset({"a.deb"}))
    written.write(marker)
    assert installer.Installed.read(marker) == written
    assert written.is_current(["asterisk"], machine)
    assert not written.is_current(["asterisk", "sipp"], machine)
    assert not written.is_current(["asterisk"], private_apt.MACHINES["aarch64"])
    marker.write_text("{ half a mark")
    assert installer.Installed.read(marker) == nothing


def test_a_changed_package_list_is_a_different_installation(
    installer: ModuleType, private_apt: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = private_apt.MACHINES[MACHINE_NAME]
    before = installer.fingerprint("sipp", machine)
    monkeypatch.setitem(installer.GROUPS, "sipp", ("sip-tester", "one-more"))
    assert installer.fingerprint("sipp", machine) != before


def test_an_up_to_date_root_needs_no_apt(
    installer: ModuleType, private_apt: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installer.platform, "machine", lambda: MACHINE_NAME)
    monkeypatch.setenv("PATH", "")
    machine = private_apt.MACHINES[MACHINE_NAME]
    layout = installer.Layout(tmp_path)
    for program in ("usr/sbin/asterisk", "usr/bin/espeak-ng"):
        (layout.root / program).parent.mkdir(parents=True, exist_ok=True)
        (layout.root / program).touch()
    installer.Installed({"asterisk": installer.fingerprint("asterisk", machine)}, frozenset()).write(layout.marker)
    installer.write_launchers(layout, machine)
    assert installer.install(layout, ["asterisk"], tmp_path) is False
    with pytest.raises(installer.InstallError, match="apt-get"):
        installer.install(layout, ["asterisk", "sipp"], tmp_path)


def test_launchers_are_made_for_what_is_there(installer: ModuleType, private_apt: ModuleType, tmp_path: Path) -> None:
    layout = installer.Layout(tmp_path)
    program = layout.root / "usr/sbin/asterisk"
    program.parent.mkdir(parents=True)
    program.touch()
    installer.write_launchers(layout, private_apt.MACHINES["aarch64"])
    assert [path.name for path in layout.bin.iterdir()] == ["asterisk"]
    launcher = layout.bin / "asterisk"
    assert os.access(launcher, os.X_OK)
    text = launcher.read_text()
    assert 'exec "$lib/ld-linux-aarch64.so.1"' in text
    assert str(tmp_path) not in text, "the folder can be moved"


def test_chromium_gets_a_loader_of_its_own(installer: ModuleType, private_apt: ModuleType, tmp_path: Path) -> None:
    """It looks for its files beside the program that the kernel started, and that is the loader."""
    machine = private_apt.MACHINES[MACHINE_NAME]
    layout = installer.Layout(tmp_path)
    program = layout.root / "usr/lib/chromium/chromium"
    loader = layout.root / "usr/lib" / machine.triplet / machine.loader
    for path in (program, loader):
        path.parent.mkdir(parents=True)
        path.write_text(path.name)
    installer.write_launchers(layout, machine)
    own = program.parent / machine.loader
    assert own.read_text() == machine.loader
    assert os.access(own, os.X_OK)
    assert f'exec "$root/usr/lib/chromium/{machine.loader}"' in (layout.bin / "chromium").read_text()


def test_dangling_sound_links_are_mended(installer: ModuleType, tmp_path: Path) -> None:
    sounds = tmp_path / "usr/share/asterisk/sounds"
    (sounds / "en_US_f_Allison").mkdir(parents=True)
    (sounds / "en").symlink_to("/etc/alternatives/nowhere")
    installer.repair_links(tmp_path)
    assert (sounds / "en").resolve() == (sounds / "en_US_f_Allison").resolve()
    assert not (sounds / "es").exists()


def test_a_full_disk_is_noticed_before_the_download(installer: ModuleType, tmp_path: Path) -> None:
    installer.check_space(tmp_path, 0)
    with pytest.raises(installer.InstallError, match="CORDBOARD_ROOT"):
        installer.check_space(tmp_path, 10**15)


def test_a_rebuilt_root_replaces_the_old_one_whole(
    installer: ModuleType, private_apt: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def extract(debs: list[Path], target: Path, progress: object) -> None:
        for deb in debs:
            (target / deb.stem).write_text("extracted")

    monkeypatch.setattr(installer, "unpack", extract)
    layout = installer.Layout(tmp_path)
    nothing = installer.Installed({}, frozenset())
    progress = installer.Progress()
    a, b, c = (private_apt.Deb(f"{name}.deb", 1) for name in "abc")
    (tmp_path / ".asterisk-root.new").mkdir()
    (tmp_path / ".asterisk-root.new" / "debris").touch()  # of an interrupted run

    installer.build(layout, [a], nothing, {"one": "1"}, progress)
    assert {path.name for path in layout.root.iterdir()} == {"a", ".installed.json"}

    first = installer.Installed.read(layout.marker)
    installer.build(layout, [a, b], first, {"one": "1", "two": "2"}, progress)
    assert {path.name for path in layout.root.iterdir()} == {"a", "b", ".installed.json"}, "grown, not rebuilt"

    second = installer.Installed.read(layout.marker)
    assert second.groups == {"one": "1", "two": "2"}
    installer.build(layout, [b, c], second, {"one": "1"}, progress)
    assert {path.name for path in layout.root.iterdir()} == {"b", "c", ".installed.json"}, "a newer version: afresh"
    assert [path.name for path in tmp_path.iterdir()] == ["asterisk-root"]


def test_a_name_that_does_not_resolve_is_noticed(installer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(installer.socket, "getaddrinfo", lambda *_: ["somewhere"])
    assert installer.resolves("here", patience=5)
    monkeypatch.setattr(installer.socket, "getaddrinfo", refuse)
    assert not installer.resolves("nowhere", patience=5)
