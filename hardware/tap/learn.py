"""A template for one shop's till, proposed from a few of its receipts. Pure.

Every layout that is known is tried on all samples; the one that adds up on each of them is proposed, with the line after
which the items begin and, where the samples show it, how this till breaks long names. A person looks at the proposal
before it is used: it is data, and short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from tillbox.contracts.settings import Strict

from .glyphs import GlyphBook
from .reading import Reading, Verdict
from .stream import Settings, Tapped, papers_of
from .template import TEMPLATES, Template
from .words import Paper, is_heading

SAMPLES_MIN = 3


class Profile(Strict):
    """What is known of one till's papers: the file that `tillbox tap learn` writes and a box's configuration names."""

    columns: Annotated[int, Field(ge=0, le=64)] = Field(
        default=0, description="Columns of the paper; 0 finds it out."
    )
    chinese: bool | None = Field(default=None, description="Whether it prints Chinese; unset finds it out.")
    templates: tuple[Template, ...] = Field(default=TEMPLATES, min_length=1, description="Its layouts.")
    glyphs: GlyphBook | None = Field(
        default=None, description="Its letters, where it draws its receipts: what `tap learn-glyphs` learned."
    )

    def settings(self) -> Settings:
        """As the reader takes it."""
        return Settings(self.columns, self.chinese, self.templates, self.glyphs)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A profile, and the items of the samples as it reads them. `choices` are the ways of breaking names between which
    the samples do not decide, with the names that would differ."""

    profile: Profile
    readings: tuple[Reading, ...]
    choices: dict[str, tuple[str, ...]]


def learn(samples: Sequence[bytes]) -> Proposal | str:
    """A proposal from at least three samples, or what is wrong with them, in a sentence."""
    if len(samples) < SAMPLES_MIN:
        return f"Give {SAMPLES_MIN} different receipts of the same till; there are {len(samples)}."
    papers = [_receipt(data) for data in samples]
    for number, paper in enumerate(papers, 1):
        if paper is None:
            return f"Sample {number} is no receipt with a total. Take receipts of ordinary sales."
    found = [paper for paper in papers if paper is not None]
    columns = found[0].columns
    if any(paper.columns != columns for paper in found):
        return "The samples are of different widths. Take receipts of one till."
    for template in TEMPLATES:
        proposal = _try(template, samples, found, columns)
        if proposal:
            return proposal
    return "No layout that is known adds up on all of them: " + "; ".join(
        f"sample {number}: {paper.reading.why or 'adds up'}" for number, paper in enumerate(found, 1)
    )


def _receipt(data: bytes) -> Tapped | None:
    papers = [paper for paper in papers_of(data) if paper.reading.verdict is not Verdict.NO_RECEIPT]
    return next((paper for paper in papers if paper.reading.paper is not Paper.NOTHING), None)


def _try(
    template: Template, samples: Sequence[bytes], papers: Sequence[Tapped], columns: int
) -> Proposal | None:
    template = template.model_copy(update={"start": _start(papers)})
    undecided = _read(template, None, samples, columns)
    if undecided is not None:
        return Proposal(_profile(template, None, columns), undecided, {})
    tried = {breaks: _read(template, breaks, samples, columns) for breaks in ("words", "anywhere")}
    sure = {breaks: readings for breaks, readings in tried.items() if readings is not None}
    if not sure:
        return None
    breaks, readings = next(iter(sure.items()))
    choices = {way: _names(said) for way, said in sure.items()} if len(sure) > 1 else {}
    return Proposal(_profile(template, breaks, columns), readings, choices)


def _read(
    template: Template, breaks: str | None, samples: Sequence[bytes], columns: int
) -> tuple[Reading, ...] | None:
    settings = _profile(template, breaks, columns).settings()
    readings = tuple(paper.reading for data in samples for paper in papers_of(data, settings)[:1])
    return readings if all(one.verdict is Verdict.RECONCILED for one in readings) else None


def _profile(template: Template, breaks: str | None, columns: int) -> Profile:
    return Profile(columns=columns, templates=(template.model_copy(update={"breaks": breaks}),))


def _start(papers: Sequence[Tapped]) -> str:
    """The last heading line, if all samples have the same."""
    heads = [[line.text for line in paper.sheet.lines if is_heading(line.text)] for paper in papers]
    lasts = {lines[-1] if lines else "" for lines in heads}
    return lasts.pop() if len(lasts) == 1 else ""


def _names(readings: Sequence[Reading]) -> tuple[str, ...]:
    return tuple(item.name for reading in readings for item in reading.items)
