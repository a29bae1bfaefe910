"""The JSON in which GitHub shows commits, and how one differs from another."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.github_double.documents import Documents, stamp
from tests.github_double.openapi import Json
from tests.github_double.state import Commit


@dataclass(frozen=True)
class CommitDocuments:
    """Writes the documents about one repository's commits."""

    of_repository: Documents

    def commit(self, commit: Commit) -> Json:
        """A commit as lists show it."""
        url, tree = self._api("commits", commit.sha), _digest("tree", commit.sha)
        author = self.of_repository.user(commit.author_login) if commit.author_login else None
        address = f"{quote(commit.author_login or commit.author_name)}@example.com"
        by = {"name": commit.author_name, "email": address, "date": stamp(commit.date)}
        unsigned = dict.fromkeys(("signature", "payload", "verified_at"))
        return {
            "sha": commit.sha,
            "node_id": f"C_{commit.sha}",
            "url": url,
            "html_url": self._page("commit", commit.sha),
            "comments_url": f"{url}/comments",
            "commit": {
                "author": by,
                "committer": by,
                "message": commit.message,
                "tree": {"sha": tree, "url": self._api("git/trees", tree)},
                "url": self._api("git/commits", commit.sha),
                "comment_count": 0,
                "verification": {"verified": False, "reason": "unsigned", **unsigned},
            },
            "author": author,
            "committer": author,
            "parents": [
                {"sha": sha, "url": self._api("commits", sha), "html_url": self._page("commit", sha)}
                for sha in commit.parents
            ],
        }

    def commit_with_files(self, commit: Commit, files: Sequence[Json]) -> Json:
        """A commit as it is shown alone; `files` are those of the page, the numbers are of all."""
        added, deleted = len(commit.files), 0
        stats = {"additions": added, "deletions": deleted, "total": added + deleted}
        return {**self.commit(commit), "stats": stats, "files": list(files)}

    def file(self, name: str, commit: Commit, *, is_new: bool) -> Json:
        """One line more in a file, which may be new with it."""
        at = f"{commit.sha}/{quote(name)}"
        return {
            "sha": _digest(name, commit.sha),
            "filename": name,
            "status": "added" if is_new else "modified",
            "additions": 1,
            "deletions": 0,
            "changes": 1,
            "blob_url": self._page("blob", at),
            "raw_url": self._page("raw", at),
            "contents_url": f"{self._api('contents', quote(name))}?ref={commit.sha}",
            "patch": "@@ -0,0 +1 @@\n+a line",
        }

    def comparison(self, base: Commit, head: Commit, numbers: dict[str, Any]) -> Json:
        """How two commits of one line stand to each other, of which the older one is where they meet."""
        span = f"{base.sha}...{head.sha}"
        older = base if numbers["behind_by"] == 0 else head
        page = self._page("compare", span)
        return {
            "url": self._api("compare", span),
            "html_url": page,
            "permalink_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "base_commit": self.commit(base),
            "merge_base_commit": self.commit(older),
            **numbers,
        }

    def _api(self, kind: str, what: str) -> str:
        return f"{self.of_repository.repository_url}/{kind}/{what}"

    def _page(self, kind: str, what: str) -> str:
        return f"{self.of_repository.html_url}/{self.of_repository.repository.full_name}/{kind}/{what}"


def _digest(*of: str) -> str:
    return hashlib.sha1(" ".join(of).encode()).hexdigest()
