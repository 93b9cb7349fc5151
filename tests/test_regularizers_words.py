"""Laws of what changes words for others that mean the same, the definition of each, and the synonyms."""

from __future__ import annotations

import os
import threading
from collections import Counter, defaultdict
from dataclasses import replace
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor

from studylib.downloads import File, cache_folder
from studylib.errors import ParameterError, StudyError
from studylib.places import store_folder
from studylib.regularizers import CATALOGUE, EXAMPLES, _wordnet
from studylib.regularizers._wordnet_files import WORDNET_2025
from studylib.regularizers.back_translation import BackTranslation
from studylib.regularizers.base import LexicalPerturbation, Perturbation, Regularizer
from studylib.regularizers.eda import EDA
from studylib.regularizers.random_insertion import RandomInsertion
from studylib.regularizers.synonym_replacement import SynonymReplacement
from studylib.seeds import Draws, Noise, Recorded, Replayed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SENTENCES = torch.tensor(
    [
        [5, 6, 7, 8, 9, 2, 3, 4],
        [4, 1, 9, 5, 0, 0, 0, 0],
        [8, 8, 0, 0, 0, 0, 0, 0],
        [7, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ]
)
SYNONYMS = torch.zeros(12, 3, dtype=torch.long)
for _word, _others in {2: (3, 4), 3: (2,), 4: (2,), 5: (6,), 6: (5, 7), 7: (6,), 9: (10, 11, 2)}.items():
    SYNONYMS[_word, : len(_others)] = torch.tensor(_others)
LEXICAL = {name: one for name, one in EXAMPLES.items() if isinstance(one, LexicalPerturbation)}
ALONE = {name: EXAMPLES[name] for name in ("random_deletion", "random_swap", "word_dropout")}
every_lexical = pytest.mark.parametrize("name", LEXICAL)


def noise(seed: int = 1) -> Noise:
    """Return the noise of one test."""
    return Noise(seed, "noise")


def disturbed(technique: Regularizer, x: Tensor, draws: Draws, synonyms: Tensor = SYNONYMS) -> Tensor:
    """Return the text that a technique, of either kind, makes of ``x``."""
    if isinstance(technique, LexicalPerturbation):
        return technique.perturb(x, draws, synonyms)
    assert isinstance(technique, Perturbation)
    return technique.perturb(x, x, draws)[0]


def repeated(sentence: list[int], rows: int = 20_000) -> Tensor:
    """Return that many rows of one sentence."""
    return torch.tensor([sentence]).repeat(rows, 1)


def assert_distributed(after: Tensor, expected: Mapping[tuple[int, ...], float]) -> None:
    """Hold the shares of the outcomes against what is expected, within five standard errors."""
    found, rows = Counter(tuple(row) for row in after.tolist()), len(after)

    assert sum(expected.values()) == pytest.approx(1)
    assert found.keys() <= expected.keys()
    for outcome, share in expected.items():
        assert abs(found[outcome] - rows * share) < 5 * (rows * share * (1 - share)) ** 0.5 + 1e-9


# every technique that knows synonyms


@every_lexical
def test_words_stay_words(name: str) -> None:
    """In 200 draws padding stays at the end, no sentence is emptied, and what comes in is a synonym."""
    known = {word: {*others} - {0} for word, others in enumerate(SYNONYMS.tolist())}
    before = SENTENCES.clone()
    for seed in range(200):
        after = disturbed(LEXICAL[name], SENTENCES, noise(seed))
        words = after != 0

        assert torch.equal(SENTENCES, before)
        assert (after.shape, after.dtype) == (SENTENCES.shape, SENTENCES.dtype)
        assert not (words[:, 1:] & ~words[:, :-1]).any()
        assert torch.equal(words.any(dim=1), (SENTENCES != 0).any(dim=1))
        for old, new in zip(SENTENCES.tolist(), after.tolist(), strict=True):
            allowed = {*old, 0}
            for _ in range(len(old)):
                allowed |= {other for word in allowed for other in known[word]}
            assert set(new) <= allowed


@every_lexical
def test_all_randomness_comes_from_the_noise(name: str) -> None:
    """The same noise gives the same text, whatever the global generators do; another gives another."""
    once = [disturbed(LEXICAL[name], SENTENCES, noise(seed)) for seed in range(20)]
    torch.manual_seed(5)
    again = [disturbed(LEXICAL[name], SENTENCES, noise(seed)) for seed in range(20)]

    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))
    assert not all(torch.equal(a, once[0]) for a in once)


@every_lexical
@pytest.mark.parametrize("row", range(len(SENTENCES)))
def test_a_batch_of_one_works(name: str, row: int) -> None:
    """A single sentence is disturbed like any other, an empty one not at all."""
    sentence = SENTENCES[row : row + 1]
    after = disturbed(LEXICAL[name], sentence, noise())

    assert after.shape == sentence.shape
    assert bool((after != 0).any()) == bool((sentence != 0).any())


@every_lexical
def test_0_switches_a_technique_off(name: str) -> None:
    """With any one of the settings that may be 0 at 0, the text comes back bit for bit."""
    settings = LEXICAL[name].model_dump()
    for key, setting in CATALOGUE[name].settings().items():
        if setting.get("minimum") == 0:
            off = type(LEXICAL[name]).model_validate(settings | {key: 0})

            assert torch.equal(disturbed(off, SENTENCES, noise()), SENTENCES)


@pytest.mark.parametrize("name", [*LEXICAL, *ALONE])
def test_several_fits_at_once_are_each_alone(name: str) -> None:
    """Under vmap, with draws, texts, tables and strengths of their own, fits get what each gets alone."""
    example = EXAMPLES[name]
    x = torch.stack([SENTENCES.roll(shift, 0) for shift in range(4)])
    tables = torch.stack([SYNONYMS.roll(shift, 1).sort(dim=1, descending=True).values for shift in range(4)])
    tables[3, 5:] = 0
    strengths = torch.tensor([0.0, 0.2, 0.5, 0.9])
    dial = example.dial()

    def one(x: Tensor, table: Tensor, strength: Tensor, draws: Draws) -> Tensor:
        turned = example.model_copy(update={dial: strength}) if dial else example
        return disturbed(turned, x, draws, table)

    recorded = [Recorded(noise(seed)) for seed in range(4)]
    alone = torch.stack([one(*each) for each in zip(x, tables, strengths, recorded, strict=True)])
    drawn = [torch.stack(draws) for draws in zip(*(one.drawn for one in recorded), strict=True)]
    together = torch.func.vmap(lambda x, table, strength, *draws: one(x, table, strength, Replayed(draws)))

    assert torch.equal(together(x, tables, strengths, *drawn), alone)
    assert not torch.equal(alone, x)


# definitions


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 1.0])
def test_as_many_words_are_replaced_as_the_share_says(share: float) -> None:
    """min(words with synonyms, max(1, round(share·words))) words give way, each to a synonym of its own."""
    known = [set(others) - {0} for others in SYNONYMS.tolist()]
    for seed in range(50):
        after = SynonymReplacement(share=share).perturb(SENTENCES, noise(seed), SYNONYMS)
        for old, new in zip(SENTENCES.tolist(), after.tolist(), strict=True):
            changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
            words, candidates = sum(word > 0 for word in old), sum(bool(known[word]) for word in old)

            assert all(b in known[a] for a, b in changed)
            assert len(changed) == min(candidates, max(1, round(share * words)))


def test_words_and_synonyms_are_drawn_alike() -> None:
    """Two of three words with synonyms: each pair alike, and each synonym of a drawn word alike."""
    sentence, share = [2, 8, 9, 6, 0], 0.5
    after = SynonymReplacement(share=share).perturb(repeated(sentence), noise(), SYNONYMS)
    expected: dict[tuple[int, ...], float] = {}
    for stays in (0, 2, 3):
        first, second = (place for place in (0, 2, 3) if place != stays)
        options = [
            [other for other in SYNONYMS[sentence[place]].tolist() if other] for place in (first, second)
        ]
        for a in options[0]:
            for b in options[1]:
                outcome = list(sentence)
                outcome[first], outcome[second] = a, b
                expected[tuple(outcome)] = 1 / (3 * len(options[0]) * len(options[1]))

    assert_distributed(after, expected)


def inserted(sentence: tuple[int, ...], width: int, turns: int) -> dict[tuple[int, ...], float]:
    """Return what insertions make of a sentence without padding, and with what probability."""
    if not turns:
        return {sentence: 1.0}
    candidates = [word for word in sentence if SYNONYMS[word, 0]]
    expected: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for word in candidates:
        synonyms = [other for other in SYNONYMS[word].tolist() if other]
        for synonym in synonyms:
            for place in range(len(sentence) + 1):
                longer = (*sentence[:place], synonym, *sentence[place:])[:width]
                chance = 1 / (len(candidates) * len(synonyms) * (len(sentence) + 1))
                for outcome, share in inserted(longer, width, turns - 1).items():
                    expected[outcome] += chance * share
    return expected


@pytest.mark.parametrize(
    ("sentence", "width", "share", "turns"),
    [((9, 8, 2), 5, 0.1, 1), ((9, 8, 2), 3, 0.1, 1), ((8, 6), 5, 1.0, 2), ((6, 8), 3, 1.0, 2)],
)
def test_insertions_are_those_of_brute_force(
    sentence: tuple[int, ...], width: int, share: float, turns: int
) -> None:
    """Every word with a synonym, synonym and place is equally likely; the width cuts what is too long."""
    rows = repeated([*sentence, *[0] * (width - len(sentence))])
    after = RandomInsertion(share=share).perturb(rows, noise(), SYNONYMS)
    outcomes = inserted(sentence, width, turns)

    assert_distributed(after, {(*o, *[0] * (width - len(o))): chance for o, chance in outcomes.items()})


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 1.0])
def test_sentences_grow_within_the_width(share: float) -> None:
    """max(1, round(share·words)) words come in, as far as the width goes, if any word has a synonym."""
    after = RandomInsertion(share=share).perturb(SENTENCES, noise(), SYNONYMS)
    for old, new in zip(SENTENCES.tolist(), after.tolist(), strict=True):
        words, some = sum(word > 0 for word in old), any(SYNONYMS[word, 0] for word in old)
        grown = words + max(1, round(share * words)) if some else words

        assert sum(word > 0 for word in new) == min(grown, len(old))


def test_each_operation_of_eda_is_drawn_alike() -> None:
    """A quarter of the disturbed sentences each is replaced, longer, in another order, or shorter."""
    rows, share, probability = 20_000, 0.1, 0.7
    sentence = [2, 5, 9, 8, 0, 0]
    after = EDA(share=share, probability=probability).perturb(repeated(sentence, rows), noise(), SYNONYMS)
    lengths, same = (after != 0).sum(dim=1), (after == torch.tensor(sentence)).all(dim=1)
    ordered = (after.sort(dim=1).values == torch.tensor(sentence).sort().values).all(dim=1)
    quarter, untouched = probability / 4, (1 - share) ** 4
    expected = {
        "shorter": ((lengths < 4), quarter * (1 - untouched)),
        "longer": ((lengths == 5), quarter),
        "swapped": (ordered & ~same, quarter),
        "replaced": ((lengths == 4) & ~ordered, quarter),
        "same": (same, 1 - probability + quarter * untouched),
    }

    for found, expectation in expected.values():
        assert abs(found.sum() - rows * expectation) < 5 * (rows * expectation * (1 - expectation)) ** 0.5
    assert lengths.max() == 5


# paraphrases that a translator wrote

VOCABULARY = ("the", "cat", "sat", "rested", "here")
PAIRS = (
    "the cat sat\tthe cat rested\nthe cat sat\there sat the cat\nthe cat sat\tthe cat sat\nhere\there lo\n"
)
ROWS = np.array([[2, 3, 4, 0], [6, 0, 0, 0], [4, 4, 0, 0], [0, 0, 0, 0]])
OF_ROWS = [[[2, 3, 5, 0], [6, 4, 2, 3]], [[6, 1, 0, 0], [0] * 4], [[0] * 4, [0] * 4], [[0] * 4, [0] * 4]]


def translated(folder: Path, text: str | bytes = PAIRS, probability: float = 0.5) -> BackTranslation:
    """Return the technique that reads ``text`` from a file."""
    body = text if isinstance(text, bytes) else text.encode()
    path = folder / "paraphrases.tsv"
    path.write_bytes(body)
    return BackTranslation(path=str(path), sha256=sha256(body).hexdigest(), probability=probability)


def test_paraphrases_are_found_by_the_words_of_a_row(tmp_path: Path) -> None:
    """A row gets what the file says of its words, once each; itself, and what is not there, is left out."""
    technique = translated(tmp_path)
    technique.refuse_missing()

    assert technique.paraphrases(ROWS, VOCABULARY).tolist() == OF_ROWS
    assert technique.paraphrases(ROWS[:1, :2], VOCABULARY).tolist() == [[[6, 4]]]


def test_a_paraphrase_is_drawn_with_the_probability(tmp_path: Path) -> None:
    """A sentence is replaced with the probability, by each of its paraphrases alike; without any it stays."""
    technique, of_rows = translated(tmp_path, probability=0.6), torch.tensor(OF_ROWS)
    x, rows = torch.tensor(ROWS), 20_000
    expected: list[dict[tuple[int, ...], float]] = [
        {(2, 3, 4, 0): 0.4, (2, 3, 5, 0): 0.3, (6, 4, 2, 3): 0.3},
        {(6, 0, 0, 0): 0.4, (6, 1, 0, 0): 0.6},
        {(4, 4, 0, 0): 1.0},
        {(0, 0, 0, 0): 1.0},
    ]
    for row, outcomes in enumerate(expected):
        many, choices = x[row].repeat(rows, 1), of_rows[row].repeat(rows, 1, 1)
        assert_distributed(technique.perturb(many, noise(row), choices), outcomes)


def test_paraphrases_for_several_fits_at_once(tmp_path: Path) -> None:
    """Under vmap fits get what each gets alone; probability 0 is the identity, 1 leaves no choice."""
    technique, x = translated(tmp_path), torch.tensor(ROWS).repeat(3, 1, 1)
    of_rows, chances = torch.tensor(OF_ROWS).repeat(3, 1, 1, 1), torch.tensor([0.0, 0.5, 1.0])

    def one(x: Tensor, of_rows: Tensor, chance: Tensor, draws: Draws) -> Tensor:
        return technique.model_copy(update={"probability": chance}).perturb(x, draws, of_rows)

    recorded = [Recorded(noise(seed)) for seed in range(3)]
    alone = torch.stack([one(x[k], of_rows[k], chances[k], recorded[k]) for k in range(3)])
    drawn = [torch.stack(draws) for draws in zip(*(one.drawn for one in recorded), strict=True)]
    together = torch.func.vmap(lambda x, of, chance, *draws: one(x, of, chance, Replayed(draws)))

    assert torch.equal(together(x, of_rows, chances, *drawn), alone)
    assert torch.equal(alone[0], x[0])
    assert not (alone[2, :2] == x[2, :2]).all(dim=1).any()


def test_a_translator_writes_what_is_read(tmp_path: Path) -> None:
    """``written`` cuts texts as the dataset does, and returns the settings that read its file."""
    texts = ["The cat sat!", "Here?"]
    technique = BackTranslation.written(
        tmp_path / "own.tsv",
        texts,
        translate=lambda text: [text.replace("sat", "rested"), f"{text} Lo"],
        words=lambda text: "".join(letter for letter in text.lower() if letter not in "!?").split(),
        probability=1.0,
    )
    technique.refuse_missing()

    assert Path(technique.path).read_text(encoding="utf-8").splitlines() == [
        "the cat sat\tthe cat rested",
        "the cat sat\tthe cat sat lo",
        "here\there",
        "here\there lo",
    ]
    assert technique.paraphrases(ROWS[:2], VOCABULARY)[1].tolist() == [[6, 1, 0, 0], [0] * 4]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "expected lines of sentence<TAB>paraphrase, and the file is empty"),
        ("a\tb\nno tab\n", "line 2: expected sentence<TAB>paraphrase, got 'no tab'"),
        ("a\tb\n\nc\td\n", "line 2: "),
        ("a\tb\tc\n", "line 1: "),
        ("a\t \n", "line 1: "),
        (b"a\tb\xff\n", "expected text in UTF-8"),
    ],
)
def test_a_file_that_holds_something_else_is_refused(
    tmp_path: Path, text: str | bytes, complaint: str
) -> None:
    """Before training starts, the line that is wrong is named."""
    with pytest.raises(ParameterError, match=f"^back_translation.path: .*paraphrases.tsv.*{complaint}"):
        translated(tmp_path, text).refuse_missing()


def test_without_a_translation_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    """No file, another file than the settings say, or one of other texts: each is an error of its own."""
    technique = translated(tmp_path)
    with pytest.raises(StudyError, match="none of the 1 train rows is in it, such as 'sat <unknown>'"):
        technique.paraphrases(np.array([[4, 1, 0]]), VOCABULARY)
    Path(technique.path).write_text(PAIRS + "\n", encoding="utf-8")
    with pytest.raises(
        ParameterError, match=f"sha256: .*expected .* {technique.sha256}, got one of [0-9a-f]+"
    ):
        technique.refuse_missing()
    Path(technique.path).unlink()
    with pytest.raises(ParameterError, match=r"path: .*: No such file .* BackTranslation\.written"):
        technique.refuse_missing()
    with pytest.raises(ParameterError, match="No such file"):
        technique.paraphrases(ROWS, VOCABULARY)


# synonyms

FILES = {
    "noun.small.yaml": """00000001-n:
  definition:
  - a motor vehicle; someone's car
  members:
  - car
  - auto
  - motor car
  - Beetle
  - automobile
  partOfSpeech: n
00000002-n:
  definition:
  - what trains are made of
  members:
  - car
  - carriage
  partOfSpeech: n
""",
    "verb.small.yaml": """00000003-v:
  members:
  - auto
  - automobile
  partOfSpeech: v
00000004-v:
  members:
  - 'on'
  - 'off'
  - carriage
  partOfSpeech: v
00000005-v:
  members:
  - alone
  - Not alone
  partOfSpeech: v
""",
}
WORDS = ("car", "on", "carriage", "auto", "automobile", "alone")  # numbered from 2 on
SMALL = ((4, 5, 6), (0, 0, 0), (2, 3, 0), (6, 2, 0), (5, 2, 0), (0, 0, 0))


def edition(home: str, texts: Mapping[str, str] = FILES) -> tuple[File, ...]:
    """Return the small files as they would be fetched from ``home``."""
    return tuple(
        File(
            f"open-english-wordnet/yaml/{name}",
            home + name,
            sha256(text.encode()).hexdigest(),
            len(text.encode()),
        )
        for name, text in texts.items()
    )


NOWHERE = edition("http://127.0.0.1:9/")  # the port of "discard", where nobody listens


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the small files, where ``STUDYLIB_DATA`` names it; the store is empty."""
    folder = tmp_path / "data" / "open-english-wordnet" / "yaml"
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        folder.joinpath(name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("STUDYLIB_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


@pytest.fixture
def serving(data: Path) -> Iterator[tuple[File, ...]]:
    """Return the small files as an edition that can be fetched, and is not in ``STUDYLIB_DATA``."""
    served = data.parents[2] / "served"
    data.rename(served)
    data.parent.rmdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name of the base
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served))) as server:
        thread = threading.Thread(
            target=server.serve_forever, args=(0.02,)
        )  # seconds until it hears of the end
        thread.start()
        yield edition(f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("data")
def test_synonyms_share_a_synset() -> None:
    """Single words in lower case of the vocabulary, most shared synsets first; no function word has any."""
    assert _wordnet.synonyms(WORDS, 3, NOWHERE).tolist() == [[0] * 3, [0] * 3, *map(list, SMALL)]
    assert _wordnet.synonyms(WORDS, 1, NOWHERE)[2:, 0].tolist() == [row[0] for row in SMALL]
    assert _wordnet.synonyms((), 2, NOWHERE).tolist() == [[0, 0], [0, 0]]


def test_synonyms_are_kept_and_believed_under_their_seal(data: Path) -> None:
    """Once read they need no files; a damaged copy is made anew, and without files that is an error."""
    before = _wordnet.synonyms(WORDS, 3, NOWHERE)
    (kept,) = (store_folder() / "datasets").glob("*.txt")
    whole = kept.read_bytes()
    kept.write_bytes(whole.replace(b"auto", b"otto"))

    assert np.array_equal(_wordnet.synonyms(WORDS, 3, NOWHERE), before)
    assert kept.read_bytes() == whole

    for path in data.iterdir():
        path.unlink()
    assert np.array_equal(_wordnet.synonyms(WORDS, 3, NOWHERE), before)

    kept.write_bytes(whole[:-1])
    with pytest.raises(ParameterError, match=r"noun\.small\.yaml: expected to fetch it from"):
        _wordnet.refuse_missing(NOWHERE)


def test_a_damaged_source_is_named(data: Path) -> None:
    """A file with a byte too many is told by its path, with both hashes and where to get it."""
    path = data / "verb.small.yaml"
    path.write_text(FILES[path.name] + " ", encoding="utf-8")
    said = f"{path}: expected .* sha256 {NOWHERE[1].sha256}, got .* Replace it by http://127.0.0.1:9/verb"
    with pytest.raises(ParameterError, match=said):
        _wordnet.refuse_missing(NOWHERE)


def test_what_is_not_there_is_fetched_once(serving: tuple[File, ...]) -> None:
    """Files are fetched into the store, checked by their hash, and not asked for again."""
    assert _wordnet.synonyms(WORDS, 3, serving)[2:].tolist() == list(map(list, SMALL))
    folder = cache_folder() / "open-english-wordnet" / "yaml"

    assert {path.name for path in folder.glob("*.yaml")} == FILES.keys()
    for path in (store_folder() / "datasets").glob("*.txt"):
        path.unlink()
    assert _wordnet.synonyms(WORDS, 3, NOWHERE)[2:].tolist() == list(map(list, SMALL))


def test_what_is_fetched_must_be_what_was_meant(serving: tuple[File, ...]) -> None:
    """A file of another hash is refused before anything is done with it, and nothing is kept of it."""
    other = (serving[0], replace(serving[1], sha256=64 * "0"))
    with pytest.raises(
        ParameterError, match=f"gives something else: expected .*0000, got .* {serving[1].sha256}"
    ):
        _wordnet.refuse_missing(other)

    assert not (cache_folder() / serving[1].path).exists()


@pytest.mark.usefixtures("serving")
def test_without_files_and_network_it_is_said_what_to_do() -> None:
    """The error says where it would have fetched from, why it could not, and what to set."""
    said = (
        r"open-english-wordnet/yaml/noun\.small\.yaml: expected to fetch it from http://127\.0\.0\.1:9/\S+ to"
        r" .*: Connection refused\. .* set STUDYLIB_DATA to a folder that holds it"
    )
    with pytest.raises(ParameterError, match=said):
        _wordnet.refuse_missing(NOWHERE)


def real_files() -> Path:
    """Return the folder of Open English WordNet; the test is skipped where nobody has fetched it."""
    named = os.environ.get("STUDYLIB_DATA", "")
    above = Path(named).expanduser() if named else cache_folder()
    folder = above / "open-english-wordnet" / "yaml"
    if not all((above / file.path).is_file() for file in WORDNET_2025):
        pytest.skip(f"{folder}: no Open English WordNet; set STUDYLIB_DATA to the folder of datasets")
    return folder


def test_wordnet_knows_what_everybody_knows() -> None:
    """A car is an automobile; nobody is one's own synonym; being one is mutual if nothing is cut off."""
    real_files()
    vocabulary = (
        *("car", "automobile", "big", "large", "buy", "purchase", "quick", "fast", "the", "a", "he", "in"),
        *("auto", "method", "function", "array", "begin", "start", "commence", "zzz", "machine", "return"),
    )
    numbers = {word: number for number, word in enumerate(vocabulary, start=2)}
    table = _wordnet.synonyms(vocabulary, 20)
    pairs = {(row, other) for row, others in enumerate(table.tolist()) for other in others if other}

    assert table.shape == (len(vocabulary) + 2, 20)
    assert table.dtype == np.int64
    for one, other in (("car", "automobile"), ("car", "machine"), ("big", "large"), ("begin", "commence")):
        assert (numbers[one], numbers[other]) in pairs
    assert pairs == {(other, row) for row, other in pairs}
    assert all(row != other for row, other in pairs)
    assert not table[[0, 1, *(numbers[word] for word in ("the", "a", "he", "in", "zzz"))]].any()
    assert np.array_equal(_wordnet.synonyms(vocabulary, 2), table[:, :2])


def test_the_lines_of_wordnet_are_those_of_a_parser() -> None:
    """Three files that are read line by line give what a YAML parser finds in them."""
    from ruamel.yaml import YAML

    folder = real_files()
    for name in ("verb.weather.yaml", "noun.motive.yaml", "adj.ppl.yaml"):
        text = folder.joinpath(name).read_bytes()
        parsed = YAML(typ="safe", pure=True).load(text)
        members = [[str(member) for member in synset["members"]] for synset in parsed.values()]
        groups = [tuple(m for m in group if " " not in m and m == m.lower()) for group in members]

        assert sha256(text).hexdigest() in {file.sha256 for file in WORDNET_2025}
        assert list(_wordnet.words_of(text)) == [group for group in groups if len(group) > 1]
