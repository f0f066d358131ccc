from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.config.files import MAX_BYTES, find, read
from reconciler.errors import UsageError
from reconciler.model import CohortName

if TYPE_CHECKING:
    from reconciler.model import Desired
    from tests.config.conftest import Repository

EMPTY = "version: 1\ncohort: {}\nusers: []\n"


def names(desired: Desired) -> list[str]:
    """Give the names of the cohorts, in order."""
    return [cohort.name for cohort in desired.cohorts]


def test_both_suffixes_are_read_and_folders_recursively(repository: Repository) -> None:
    """`.yaml` and `.yml` are read in whatever case, in every folder below."""
    for file, name in (("a.yaml", "a"), ("x/b.yml", "b"), ("x/y/c.YAML", "c")):
        repository.write(f"cohorts/{file}", EMPTY.format(name))

    assert names(repository.load("cohorts")) == ["a", "b", "c"]


def test_dot_names_and_other_kinds_are_not_ours(repository: Repository) -> None:
    """What starts with a dot, and what is not YAML, is passed over."""
    repository.write("cohorts/a.yaml", EMPTY.format("a"))
    for other in (".hidden.yaml", ".github/b.yaml", "README.md", "notes"):
        repository.write(f"cohorts/{other}", "\x00 not yaml: [")
    os.mkfifo("cohorts/pipe")

    assert names(repository.load("cohorts")) == ["a"]


def test_a_file_that_is_named_is_read_though_it_is_hidden(repository: Repository) -> None:
    """A dot hides a file from a search, not from its name."""
    repository.write(".a.yaml", EMPTY.format("a"))

    assert names(repository.load(".a.yaml")) == ["a"]


def test_a_file_that_is_named_twice_is_read_once(repository: Repository) -> None:
    """Paths may overlap."""
    repository.write("cohorts/a.yaml", EMPTY.format("a"))

    assert names(repository.load("cohorts", "cohorts/a.yaml", "./cohorts")) == ["a"]


def test_links_to_folders_and_files_are_followed(repository: Repository) -> None:
    """A link stands for what it leads to."""
    repository.write("elsewhere/a.yaml", EMPTY.format("a"))
    repository.write("b.yaml", EMPTY.format("b"))
    Path("cohorts").mkdir()
    Path("cohorts/more").symlink_to("../elsewhere")
    Path("cohorts/b.yml").symlink_to("../b.yaml")

    assert names(repository.load("cohorts")) == ["b", "a"]


def test_what_cannot_be_read_is_an_error_that_names_it(repository: Repository) -> None:
    """Nothing is passed over in silence, and one such file does not hide another."""
    folder = Path("cohorts")
    folder.mkdir()
    (folder / "dead").symlink_to("nowhere")
    (folder / "loop").symlink_to(".")
    (folder / "up").symlink_to("..")
    (folder / "self.yaml").symlink_to("self.yaml")
    (folder / "memory.yaml").symlink_to("/proc/self/mem")
    os.mkfifo(folder / "pipe.yaml")

    assert repository.told("cohorts") == [
        (
            "cohorts/dead:1:1: error: link 'cohorts/dead' leads nowhere: "
            "no such file or directory\n"
            "  hint: remove the link, or mend it"
        ),
        (
            "cohorts/loop:1:1: error: link 'cohorts/loop' leads back to a folder that it is in\n"
            "  hint: remove the link"
        ),
        (
            "cohorts/memory.yaml:1:1: error: link 'cohorts/memory.yaml' leads out of the "
            "repository\n  hint: remove the link, or copy the file"
        ),
        "cohorts/pipe.yaml:1:1: error: 'cohorts/pipe.yaml' is no regular file\n  hint: remove it",
        (
            "cohorts/self.yaml:1:1: error: link 'cohorts/self.yaml' leads nowhere: "
            "too many levels of symbolic links\n  hint: remove the link, or mend it"
        ),
        (
            "cohorts/up:1:1: error: link 'cohorts/up' leads back to a folder that it is in\n"
            "  hint: remove the link"
        ),
    ]


def test_two_ways_to_one_folder_are_an_error(repository: Repository) -> None:
    """Links cannot make one folder count twice, nor be followed exponentially often."""
    for name in ("b", "c", "d"):
        repository.write(f"cohorts/{name}/{name}.yaml", EMPTY.format(name))
    Path("cohorts/a").symlink_to("d")

    assert repository.told("cohorts") == [
        (
            "cohorts/d:1:1: error: 'cohorts/d' and 'cohorts/a' are one folder\n"
            "  hint: remove the link"
        )
    ]


def test_folders_nest_within_a_bound(repository: Repository) -> None:
    """Depth has a bound, for folders too."""
    deep = "/".join("d" * 33)
    repository.write(f"{deep}/c.yaml", EMPTY.format("c"))

    assert repository.told("d") == [
        f"{deep}:1:1: error: folders nest deeper than 32 levels\n  hint: move the files up"
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable to root")
def test_an_unreadable_folder_is_an_error(repository: Repository) -> None:
    """A folder that may not be listed is named, with the reason."""
    folder = Path("cohorts/closed")
    folder.mkdir(parents=True)
    folder.chmod(0)

    assert repository.told("cohorts") == [
        (
            "cohorts/closed:1:1: error: 'cohorts/closed' cannot be read: permission denied\n"
            "  hint: check its permissions"
        )
    ]
    folder.chmod(stat.S_IRWXU)


def test_a_file_that_is_too_large_is_refused(repository: Repository) -> None:
    """Size has a bound."""
    assert repository.told_of("#" * (MAX_BYTES + 1)) == [
        "c.yaml:1:1: error: the file is larger than 16 MB\n  hint: split the cohort into several"
    ]


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("missing", "'missing' does not exist", "name a cohort file or a folder"),
        ("notes.txt", "'notes.txt' is neither .yaml nor .yml", "rename the file"),
        ("empty", "no .yaml or .yml file is in empty", "name a folder of cohort files"),
    ],
)
def test_a_path_that_cannot_be_meant_is_a_usage_error(
    repository: Repository, path: str, message: str, hint: str
) -> None:
    """The command line is wrong, not the files."""
    repository.write("notes.txt", "")
    Path("empty").mkdir()

    with pytest.raises(UsageError) as caught:
        repository.load(path)

    assert (str(caught.value), caught.value.hint) == (message, hint)


def test_a_dead_link_that_is_named_is_an_error_of_the_input(repository: Repository) -> None:
    """A link exists though what it leads to does not."""
    Path("dead").symlink_to("nowhere")

    assert repository.told("dead") == [
        (
            "dead:1:1: error: link 'dead' leads nowhere: no such file or directory\n"
            "  hint: remove the link, or mend it"
        )
    ]


@pytest.mark.parametrize(
    ("paths", "source", "scope"),
    [
        pytest.param(["cohorts"], "outer", None, id="the folder of the tenant file"),
        pytest.param(["cohorts/a.yaml"], "outer", {"a"}, id="a file beside it"),
        pytest.param(["cohorts/sub/b.yaml"], "outer", {"b"}, id="a file below it"),
        pytest.param(["cohorts/sub"], "outer", {"b"}, id="a folder below it"),
        pytest.param(["cohorts/a.yaml", "cohorts/sub"], "outer", {"a", "b"}, id="both"),
        pytest.param(["cohorts", "cohorts/a.yaml"], "outer", None, id="the whole and a part"),
        pytest.param(["cohorts/tenant.yaml"], "outer", set(), id="the tenant file alone"),
        pytest.param(["apart"], "reconciler", None, id="a folder without a tenant file"),
        pytest.param(["apart/c.yaml"], "reconciler", {"c"}, id="a file without one"),
    ],
)
def test_the_tenant_file_and_the_scope_follow_the_paths(
    repository: Repository, tenant: str, paths: list[str], source: str, scope: set[str] | None
) -> None:
    """The nearest tenant file counts, and naming parts narrows the scope to them."""
    repository.write("cohorts/tenant.yaml", tenant.replace("source: s", "source: outer"))
    for file, name in (("cohorts/a", "a"), ("cohorts/sub/b", "b"), ("apart/c", "c")):
        repository.write(f"{file}.yaml", EMPTY.format(name))

    desired = repository.load(*paths)

    assert desired.tenant_file.source == source
    assert desired.scope == (None if scope is None else frozenset(scope))


@pytest.mark.parametrize(
    ("current", "path"),
    [
        pytest.param(".", "cohorts/sub/a.yaml", id="from the top"),
        pytest.param("cohorts/sub", ".", id="from the folder itself"),
        pytest.param("deploy", "../cohorts/sub/a.yaml", id="from a folder beside it"),
    ],
)
def test_the_tenant_file_is_found_wherever_the_command_runs(
    repository: Repository,
    tenant: str,
    monkeypatch: pytest.MonkeyPatch,
    current: str,
    path: str,
) -> None:
    """The search goes up from the file to the top of the repository, and no further."""
    repository.write("cohorts/tenant.yaml", tenant)
    repository.write("cohorts/sub/a.yaml", EMPTY.format("a"))
    repository.write("deploy/README", "")
    monkeypatch.chdir(current)

    assert repository.load(path).tenant_file.source == "s"


def test_the_search_ends_at_the_top_of_the_repository(repository: Repository, tenant: str) -> None:
    """A tenant file beside the repository is another one's."""
    repository.write("tenant.yaml", tenant)
    repository.write("inner/.git/HEAD", "")
    repository.write("inner/a.yaml", EMPTY.format("a"))

    assert repository.load("inner/a.yaml").tenant_file.tenant is None


@pytest.mark.parametrize("path", ["cohorts/sub", "cohorts/sub/a.yaml", "cohorts"])
def test_no_folder_can_have_a_tenant_file_of_its_own(
    repository: Repository, tenant: str, path: str
) -> None:
    """A second tenant file does not replace the first, whatever is named."""
    repository.write("cohorts/tenant.yaml", tenant)
    repository.write("cohorts/sub/tenant.yaml", tenant)
    repository.write("cohorts/sub/a.yaml", EMPTY.format("a"))

    (message,) = repository.told(path)

    assert "there are several tenant files: " in message


def test_who_is_declared_in_a_file_that_is_not_named_is_seen(
    repository: Repository, tenant: str, head: str
) -> None:
    """A person or a cohort that another file has already is a duplicate in a narrow run too."""
    users = "users:\n  - {userPrincipalName: a@b.cd, displayName: A}\n"
    repository.write("cohorts/tenant.yaml", tenant)
    repository.write("cohorts/first.yaml", head + users)
    repository.write("cohorts/second.yaml", head + users)

    assert repository.told("cohorts/first.yaml") == [
        (
            "cohorts/first.yaml:2:9: error: cohort 'c' is given twice, first at "
            "cohorts/second.yaml:2:9\n  hint: keep one of them"
        ),
        (
            "cohorts/first.yaml:5:25: error: user 'a@b.cd' is given twice, first at "
            "cohorts/second.yaml:5:25\n  hint: keep one of them"
        ),
    ]


@pytest.mark.parametrize("path", ["cohorts", "cohorts/a.yaml"])
@pytest.mark.parametrize("name", ["Tenant.yaml", "TENANT.YML"])
def test_a_tenant_file_in_other_capitals_is_told_once(
    repository: Repository, tenant: str, name: str, path: str
) -> None:
    """It is not read as a cohort, and nothing runs as if it were not there."""
    repository.write(f"cohorts/{name}", tenant)
    repository.write("cohorts/a.yaml", EMPTY.format("a"))

    assert repository.told(path) == [
        (f"cohorts/{name}:1:1: error: this looks like the tenant file\n  hint: call it tenant.yaml")
    ]


def test_a_tenant_file_of_another_name_is_told_once(repository: Repository, tenant: str) -> None:
    """What it holds gives it away."""
    assert repository.told_of(tenant) == [
        "c.yaml:2:1: error: this looks like the tenant file\n  hint: call it tenant.yaml"
    ]


def test_a_tenant_file_is_read_in_a_folder_that_cannot_be_listed(
    repository: Repository, tenant: str
) -> None:
    """Who may open files but not list them is held to the tenant file all the same."""
    repository.write("cohorts/tenant.yaml", tenant)
    repository.write("cohorts/a.yaml", EMPTY.format("a"))
    folder = repository.folder / "cohorts"
    folder.chmod(stat.S_IXUSR)
    try:
        if os.access(folder, os.R_OK):
            pytest.skip("who runs the tests may list every folder")
        found = find([folder / "a.yaml"]).tenants
    finally:
        folder.chmod(stat.S_IRWXU)

    assert found == (folder / "tenant.yaml",)


@pytest.mark.parametrize("path", [".", "apart/c.yaml cohorts/a.yaml"])
def test_cohort_files_lie_beside_the_tenant_file_or_below(
    repository: Repository, tenant: str, path: str
) -> None:
    """A file elsewhere in the repository would be judged by it in one run and not in another."""
    repository.write("cohorts/tenant.yaml", tenant)
    repository.write("cohorts/a.yaml", EMPTY.format("a"))
    repository.write("apart/c.yaml", EMPTY.format("c"))

    assert repository.told(*path.split()) == [
        (
            "apart/c.yaml:1:1: error: the file lies outside the folder of cohorts/tenant.yaml\n"
            "  hint: move the tenant file to the folder that holds all cohort files"
        )
    ]


@pytest.mark.parametrize("is_named", [False, True], ids=["found", "named"])
@pytest.mark.parametrize(
    "places",
    [
        ("cohorts/b.yaml", "../apart/c.yaml", "cohorts/b.yaml"),
        ("cohorts/sub", "../apart", "cohorts/sub/c.yaml"),
        ("cohorts/b.yaml", "x/y/../../../apart/c.yaml", "cohorts/b.yaml"),
    ],
    ids=["a file", "a folder", "by a detour"],
)
def test_no_link_leads_out_of_the_folder_of_the_tenant_file(
    repository: Repository, tenant: str, places: tuple[str, str, str], *, is_named: bool
) -> None:
    """Who guards the folder would never see that a file outside of it changes."""
    link, target, file = places
    repository.write("cohorts/tenant.yaml", tenant)
    repository.write("cohorts/a.yaml", EMPTY.format("a"))
    repository.write("cohorts/x/y/README", "")
    repository.write("apart/c.yaml", EMPTY.format("c"))
    Path(link).symlink_to(target)

    assert repository.told(link if is_named else "cohorts") == [
        (
            f"{file}:1:1: error: a link leads out of the folder of cohorts/tenant.yaml to this "
            "file\n  hint: remove the link, and put the file itself here"
        )
    ]


def test_a_link_within_the_folder_of_the_tenant_file_is_followed(
    repository: Repository, tenant: str
) -> None:
    """A file counts where it lies, beside the tenant file or below, whatever leads to it."""
    repository.write("cohorts/tenant.yaml", tenant)
    repository.write("cohorts/.kept/a.yaml", EMPTY.format("a"))
    Path("cohorts/a.yaml").symlink_to(".kept/a.yaml")

    assert names(repository.load("cohorts")) == ["a"]


def test_a_tenant_file_below_the_first_is_seen_whatever_is_named(
    repository: Repository, tenant: str
) -> None:
    """Naming a file beside the first tenant file does not hide a second one further down."""
    repository.write("cohorts/tenant.yaml", tenant)
    repository.write("cohorts/sub/tenant.yaml", tenant)
    repository.write("cohorts/a.yaml", EMPTY.format("a"))

    (message,) = repository.told("cohorts/a.yaml")

    assert "there are several tenant files: " in message


def test_a_tenant_file_counts_at_the_real_place_of_a_linked_folder(
    repository: Repository, tenant: str
) -> None:
    """A link to a folder of cohorts is no way around the tenant file above that folder."""
    repository.write("real/tenant.yaml", tenant)
    repository.write("real/c/a.yaml", EMPTY.format("a"))
    Path("cohorts").symlink_to("real/c")

    assert repository.load("cohorts").tenant_file.source == "s"
    assert repository.load("cohorts/a.yaml").tenant_file.source == "s"


def test_files_that_were_not_named_and_cannot_be_read_are_known(
    repository: Repository, tenant: str
) -> None:
    """Whom they declare nobody knows, so a narrow run says which they are."""
    repository.write("cohorts/tenant.yaml", tenant)
    repository.write("cohorts/a.yaml", EMPTY.format("a"))
    repository.write("cohorts/broken.yaml", "users: [")
    Path("cohorts/dead.yaml").symlink_to("nowhere.yaml")

    assert set(repository.load("cohorts/a.yaml").unread) == {
        "cohorts/broken.yaml",
        "cohorts/dead.yaml",
    }


def test_what_is_wrong_in_a_file_that_is_not_named_is_not_told(
    repository: Repository, tenant: str
) -> None:
    """Naming files narrows what is judged; who the others declare is known all the same."""
    repository.write("cohorts/tenant.yaml", tenant)
    repository.write("cohorts/a.yaml", EMPTY.format("a"))
    repository.write("cohorts/broken.yaml", "users: [")
    repository.write(
        "cohorts/wrong.yaml", "cohort: b\nusers:\n  - {userPrincipalName: B@b.cd, colour: red}\n"
    )

    desired = repository.load("cohorts/a.yaml")

    assert desired.elsewhere == {"b@b.cd"}
    assert desired.scope == frozenset({CohortName("a")})


def test_a_file_that_cannot_be_read_is_told() -> None:
    """What the system says about a file is part of the message."""
    assert str(read(Path("/proc/self/mem"))) == (
        "/proc/self/mem:1:1: error: '/proc/self/mem' cannot be read: input/output error\n"
        "  hint: check its permissions"
    )


def test_the_tenant_file_of_an_absolute_path_is_named_in_full(
    repository: Repository, tenant: str
) -> None:
    """Messages name files in the way in which they were named."""
    repository.write("cohorts/tenant.yaml", tenant)
    repository.write("cohorts/a.yaml", EMPTY.format("a"))

    desired = repository.load(str(repository.folder / "cohorts/a.yaml"))

    position = desired.tenant_file.position
    assert position is not None
    assert position.file == (repository.folder / "cohorts/tenant.yaml").as_posix()


@pytest.mark.parametrize("path", ["cohorts", "cohorts/a.yaml"])
def test_two_tenant_files_are_an_error_that_names_both(
    repository: Repository, tenant: str, path: str
) -> None:
    """Only one file can say what may be touched."""
    repository.write("cohorts/tenant.yaml", tenant)
    repository.write("cohorts/tenant.yml", tenant)
    repository.write("cohorts/a.yaml", EMPTY.format("a"))

    assert repository.told(path) == [
        (
            "cohorts/tenant.yml:1:1: error: there are several tenant files: "
            "cohorts/tenant.yaml and cohorts/tenant.yml\n  hint: keep one of them"
        )
    ]


def test_at_most_a_hundred_are_told_and_all_are_counted(repository: Repository) -> None:
    """A mistake in one file does not hide those in the others, up to a bound."""
    for name in ("a", "b", "c"):
        users = "".join(f"  - {{wrong: {number}}}\n" for number in range(60))
        repository.write(f"{name}.yaml", f"version: 1\ncohort: {name}\nusers:\n{users}")

    error = repository.errors(".")

    assert (len(error.diagnostics), error.total) == (100, 3 * (60 + 60 + 1))
    assert list(error.diagnostics) == sorted(
        error.diagnostics, key=lambda diagnostic: (diagnostic.position, diagnostic.summary)
    )


def test_cohorts_of_the_privileged_folder_are_told_apart(repository: Repository) -> None:
    """They are those whose content lies there, whatever links lead in or out."""
    tenant = "version: 1\ntenant: contoso.com\nsource: us\n"
    guards = "guards: {privilegedFolder: high/er}\n"
    repository.write("cohorts/tenant.yaml", tenant + guards)
    for file in ("higher.yaml", "high/b.yaml", "high/er/c.yaml", "high/er/deep/d.yml"):
        repository.write(f"cohorts/{file}", EMPTY.format(Path(file).stem))
    Path("cohorts/high/er/link.yaml").symlink_to("../b.yaml")

    named = repository.load("cohorts/high/er")
    assert named.privileged == {"cohorts/high/er/c.yaml", "cohorts/high/er/deep/d.yml"}
    repository.write("cohorts/tenant.yaml", tenant)
    assert repository.load("cohorts/high/er").privileged == frozenset()
