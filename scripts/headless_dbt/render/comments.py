"""The comments on the failure issue: what is new, what has healed, and how it ended. Pure."""

import re
from urllib.parse import quote

from headless_dbt.model import Cause
from headless_dbt.render.markdown import code, plain, shorten
from headless_dbt.render.told import Told, bullets, cause_line, commit_link, known_line, lasted, run_link
from headless_dbt.render.words import counted

_MOST = 20


def render_news(told: Told) -> str:
    """The comment on what is new and what has healed."""
    parts = []
    if told.reopened:
        parts.append(f"**Failing again**, {lasted(told.before.at, told.now)} after it had passed.")
    if told.closed_by_hand:
        parts.append(f"**Opened again**: it was closed, and {run_link(told)} failed still.")
    new = [_news_line(cause) for cause in told.failing if cause.key in told.new]
    if new:
        parts.append(f"**New** in {run_link(told)}:\n\n{bullets(new, _MOST)}")
    if told.healed:
        parts.append(f"**Healed** in {run_link(told)}:\n\n{bullets([*map(known_line, told.healed)], _MOST)}")
        left = len(told.state.causes) + told.state.dropped
        parts.append(f"{counted(left, 'cause')} still open.")
    return "\n\n".join(parts)


def render_closing(told: Told) -> str:
    """The comment that closes the issue: how long it lasted, and what healed it."""
    if told.moved and not told.healed:
        return f"What was open here is kept in other issues now, since {run_link(told)}."
    text = f"All that this issue was about has passed in {run_link(told)}."
    if told.state.opened.at:
        text += f" It lasted {lasted(told.state.opened.at, told.now)}."
    text += _healing_commits(told)
    return "\n\n".join((text, bullets([*map(known_line, told.healed)], _MOST))).rstrip()


def _healing_commits(told: Told) -> str:
    """The commits between the last failure and now."""
    failed, passed = told.before.sha, told.run.request.context.sha
    if not failed or not passed or not told.run.request.context.repository:
        return ""
    if failed == passed:
        return f" No commit healed it: {commit_link(told, passed)} failed before, and passes now."
    address = f"{told.home}/compare/{quote(failed)}...{quote(passed)}"
    return f" Healed by the commits [{code(f'{failed[:7]}...{passed[:7]}')}]({address})."


def _news_line(cause: Cause) -> str:
    # dbt begins with the name and the file of the node, which stands before it here.
    said = re.sub(r"^[\w ]* Error in [^\n]*\([^\n]*\)\n", "", plain(cause.message))
    message = shorten(" ".join(said.split()), 150) if cause.nodes else ""
    return cause_line(cause) + (f": {code(message)}" if message else "")
