"""The commands under ``bot sentiment``: what a text is scored, and how the classifier is trained and measured."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.config import REFUSED
from engine.domain.errors import GreenlightError

app = typer.Typer(help="Score texts; train and measure what scores them.", no_args_is_help=True)
DataArgument = Annotated[
    Path, typer.Argument(help="A folder with the labelled texts; docs/sentiment-model.md says where they are had.")
]
SEED = 7


@app.command()
def score(
    texts: Annotated[list[str], typer.Argument(help="Texts, each in quotes.")],
    model: Annotated[Path | None, typer.Option(help="Another model than the house's.")] = None,
) -> None:
    """Say what texts are scored, from -1 (bearish) to +1 (bullish), and which coins they are about."""
    from engine.sentiment.classifier import SHIPPED
    from engine.sentiment.matching import Matcher
    from engine.sentiment.scorers import classifier
    from engine.sentiment.texts import MOST_BODY, cleaned

    try:
        read = [cleaned(text, MOST_BODY) for text in texts]
        scores = asyncio.run(classifier(model or SHIPPED).score(read))
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    matcher = Matcher()
    for text, found in zip(read, scores, strict=True):
        coins = ", ".join(sorted(matcher.mentioned(text))) or "no coin"
        typer.echo(f"{'none' if found is None else f'{found:+.2f}'}  {coins}: {text}")


@app.command()
def train(
    data: DataArgument,
    out: Annotated[Path, typer.Option(help="Where the model is written.")] = Path("model.npz"),
) -> None:
    """Train the classifier anew."""
    from engine.sentiment import training
    from engine.sentiment.classifier import save_model

    try:
        texts = [training.read_labelled(path) for path in (data / training.TWEETS, data / training.POSTS, training.OWN)]
        model = training.train(training.together(*texts), training.vader_lexicon())
        save_model(model, out)
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    except OSError as error:
        typer.echo(f"{out} cannot be written ({error.strerror}).", err=True)
        raise typer.Exit(REFUSED) from None
    counted = " + ".join(f"{len(part):,}" for part in texts)
    typer.echo(f"{out}: {out.stat().st_size:,} bytes, trained on {counted} texts")


@app.command()
def measure(data: DataArgument, seed: Annotated[int, typer.Option(help="Which rows are held out.")] = SEED) -> None:
    """Train without some rows, and say how well these are scored, beside VADER; takes some minutes."""
    from engine.sentiment import training
    from engine.sentiment.lexicon import analyzer, plain_analyzer
    from engine.sentiment.measuring import measure as measured

    try:
        tweets, posts, own = (
            training.read_labelled(path) for path in (data / training.TWEETS, data / training.POSTS, training.OWN)
        )
        plain, crypto = plain_analyzer(), analyzer()
        vaders = {
            "VADER": lambda text: float(plain.polarity_scores(text)["compound"]),
            "VADER with words of crypto": lambda text: float(crypto.polarity_scores(text)["compound"]),
        }
        rows = measured(tweets, posts, own, lexicon=training.vader_lexicon(), vaders=vaders, seed=seed)
        typer.echo("| rows | scorer | accuracy | macro-F1 | accuracy above VADER |\n|---|---|---|---|---|")
        for row in rows:
            gain = "" if row.gain is None else f"{row.gain.value:+.3f} ({row.gain.low:+.3f} to {row.gain.high:+.3f})"
            figures = " | ".join(
                f"{each.value:.3f} ({each.low:.3f} to {each.high:.3f})" for each in (row.accuracy, row.macro_f1)
            )
            typer.echo(f"| {row.count:,} {row.rows} | {row.scorer} | {figures} | {gain} |")
    except GreenlightError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
