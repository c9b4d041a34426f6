"""Training by proximal policy optimisation (J. Schulman and others, 2017), as stable-baselines3 does it.

The one module that knows torch and stable-baselines3: it is imported by whoever trains, and by nobody else.

    scaler ─▶ for each seed: a round ─▶ validation ─▶ kept ─▶ the next round, until several bring nothing better

A round begins with chance and episodes of its own, which hang on the seed and the number of the round alone. So what
was stopped within a round goes on from the end of the one before, and comes to the very same policy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import VecEnv

from engine.domain.errors import StoreError
from engine.learning.env import Ground, Randomising, TradingEnv
from engine.learning.evaluating import by_policy, run_over
from engine.learning.features import FEATURES
from engine.learning.policy import ACTIONS, CUT, ActionBounds, Policy, PolicyCard, scaled
from engine.learning.reward import RewardTerms
from engine.learning.splits import Splits, Stretch
from engine.support import private_files

if TYPE_CHECKING:
    from engine.domain.market import Floats

_UNCHANGED = 1e-9
"""The deviation below which a feature never changed."""
_SCALER_STEPS = 40
_NAME = "PPO"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan:
    """How a policy is trained.

    Attributes:
        seeds: One training each; the best on the validation time is taken.
        rounds: The most that each may take.
        patience: After so many rounds without anything better it ends.
        round_steps: Decisions in a round.
        count: Episodes side by side.
        length_ms: How long an episode lasts.
        layers: Neurons of each layer.
        epochs, batch: How often, and in what parts, what was played is learnt from.
        discount: What a reward is worth one decision earlier.
    """

    seeds: tuple[int, ...] = (1, 2, 3)
    rounds: int = 30
    patience: int = 8
    round_steps: int = 65_536
    count: int = 256
    length_ms: int = 60 * 86_400_000
    layers: tuple[int, ...] = (32, 32)
    epochs: int = 6
    batch: int = 4_096
    learning_rate: float = 1e-3
    discount: float = 0.9
    entropy: float = 0.001
    bounds: ActionBounds = field(default_factory=ActionBounds)
    reward: RewardTerms = field(default_factory=RewardTerms)
    chance: Randomising = field(default_factory=Randomising)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a round came to.

    Attributes:
        number: The first is 1.
        reward: That of the validation time.
        is_best: Whether none before it had a better one.
        was_kept: Whether it was done before the training was stopped.
    """

    seed: int
    number: int
    reward: float
    is_best: bool
    was_kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedSeed:
    """The best policy of a seed, and its reward on the validation time; ``None`` where it was stopped before."""

    seed: int
    policy: Policy | None
    reward: float
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scaler:
    """What observations are scaled by, and what was seen of them: arrays of ``float64[17]``."""

    mean: Floats
    deviation: Floats
    low: Floats
    high: Floats


class SideBySide(VecEnv):  # type: ignore[misc] # no types come with it
    """Episodes as stable-baselines3 wants them; observations are scaled."""

    def __init__(self, env: TradingEnv, scaler: Scaler) -> None:
        size = len(FEATURES)
        super().__init__(
            env.count,
            gymnasium.spaces.Box(-CUT, CUT, (size,), np.float32),
            gymnasium.spaces.Box(-1.0, 1.0, (len(ACTIONS),), np.float32),
        )
        self._env, self._scaler = env, scaler
        self._actions: Any = None

    def reset(self) -> Any:
        """Begin all episodes anew."""
        return self._scaled(self._env.reset())

    def step_async(self, actions: Any) -> None:
        """Take the actions."""
        self._actions = actions

    def step_wait(self) -> Any:
        """What came of them."""
        found = self._env.step(self._actions)
        seen = self._scaled(found.observations)
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for number in np.flatnonzero(found.ended):
            infos[number] = {"terminal_observation": seen[number], "TimeLimit.truncated": False}
        return seen, found.rewards.astype(np.float32), found.ended, infos

    def close(self) -> None:
        """There is nothing to close."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of every episode: they have none of their own."""
        del attr_name, indices
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """They have none."""

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """They have none."""
        del method_name, args, indices, kwargs
        return [None] * self.num_envs

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """They are not."""
        del wrapper_class, indices
        return [False] * self.num_envs

    def _scaled(self, observations: Floats) -> Any:
        return scaled(observations, self._scaler.mean, self._scaler.deviation)


class _Stop(BaseCallback):  # type: ignore[misc] # no types come with it
    """Ends a round when somebody wishes it, and tells of every step."""

    def __init__(self, is_stopped: Callable[[], bool], on_steps: Callable[[int], None], count: int) -> None:
        super().__init__()
        self._is_stopped, self._on_steps, self._count = is_stopped, on_steps, count

    def _on_step(self) -> bool:
        self._on_steps(self._count)
        return not self._is_stopped()


def fit_scaler(ground: Ground, parts: tuple[Stretch, ...], plan: TrainingPlan) -> Scaler:
    """What observations are scaled by: those that chance meets in the time that is trained on."""
    env, rng = _env(ground, parts, plan, np.random.default_rng(plan.seeds[0])), np.random.default_rng(plan.seeds[0])
    seen = [env.reset()]
    seen += [env.step(rng.uniform(-1, 1, (env.count, len(ACTIONS)))).observations for _ in range(_SCALER_STEPS)]
    rows = np.concatenate(seen)
    finite = np.where(np.isfinite(rows), rows, np.nan)
    deviation = np.nanstd(finite, axis=0)
    return Scaler(
        mean=np.nanmean(finite, axis=0),
        deviation=np.where(deviation > _UNCHANGED, deviation, 0.0),
        low=np.nanmin(finite, axis=0),
        high=np.nanmax(finite, axis=0),
    )


def train_seed(
    ground: Ground,
    splits: Splits,
    plan: TrainingPlan,
    seed: int,
    scaler: Scaler,
    kept: Path | None = None,
    *,
    is_stopped: Callable[[], bool] = lambda: False,
    on_round: Callable[[Round], None] = lambda _: None,
    on_steps: Callable[[int], None] = lambda _: None,
) -> TrainedSeed:
    """Train with one seed.

    Args:
        ground: What is traded.
        splits: The time.
        plan: How.
        seed: What chance hangs on.
        scaler: What observations are scaled by.
        kept: The file in which each round is kept; what is there is gone on with.
        is_stopped: Whether to stop.
        on_round: Hears of each round.
        on_steps: Hears of so many decisions more.

    Raises:
        StoreError: What was kept cannot be read, or cannot be written.
    """
    torch.set_num_threads(1)  # the nets are too small for more
    model = new_model(SideBySide(_env(ground, (splits.train,), plan, np.random.default_rng(seed)), scaler), plan, seed)
    state = _State() if kept is None else _read(kept, model)
    for each in state.told:
        on_round(replace(each, was_kept=True))
    while len(state.told) < plan.rounds and state.since_best < plan.patience and not is_stopped():
        number = len(state.told) + 1
        _play_round(model, ground, splits, plan, seed, number, _Stop(is_stopped, on_steps, plan.count), scaler)
        if is_stopped():
            break
        policy = exported(model, scaler, PolicyCard(name=_NAME, bounds=plan.bounds))
        reward = run_over(ground, splits.validation, by_policy(policy), bounds=plan.bounds, reward=plan.reward).reward
        is_best = reward > max((each.reward for each in state.told), default=-np.inf)
        if is_best:
            state.best = {name: value.clone() for name, value in model.policy.state_dict().items()}
        state.told.append(Round(seed=seed, number=number, reward=reward, is_best=is_best))
        if kept is not None:
            _write(kept, model, state)
        on_round(state.told[-1])
    return _trained(model, state, scaler, seed, plan)


def train_steps(
    ground: Ground,
    parts: tuple[Stretch, ...],
    plan: TrainingPlan,
    seed: int,
    scaler: Scaler,
    *,
    is_stopped: Callable[[], bool] = lambda: False,
    on_steps: Callable[[int], None] = lambda _: None,
) -> Policy | None:
    """Train one round, with no look at any other time: the policy at its end; ``None`` where it was stopped.

    Args:
        ground: What is traded.
        parts: The time.
        plan: How.
        seed: What chance hangs on.
        scaler: What observations are scaled by.
        is_stopped: Whether to stop.
        on_steps: Hears of so many decisions more.
    """
    torch.set_num_threads(1)
    set_random_seed(seed)
    env = SideBySide(_env(ground, parts, plan, np.random.default_rng(seed)), scaler)
    model = new_model(env, plan, seed)
    model.learn(plan.round_steps, callback=_Stop(is_stopped, on_steps, plan.count))
    return None if is_stopped() else exported(model, scaler, PolicyCard(name=_NAME, bounds=plan.bounds))


def new_model(env: SideBySide, plan: TrainingPlan, seed: int) -> Any:
    """An untrained model."""
    return PPO(
        "MlpPolicy",
        env,
        n_steps=max(2, plan.round_steps // plan.count // 4),
        batch_size=min(plan.batch, plan.round_steps // 4),
        n_epochs=plan.epochs,
        gamma=plan.discount,
        learning_rate=plan.learning_rate,
        ent_coef=plan.entropy,
        policy_kwargs={"net_arch": list(plan.layers), "activation_fn": torch.nn.Tanh, "log_std_init": -0.5},
        seed=seed,
        device="cuda" if torch.cuda.is_available() else "cpu",
    )


def exported(model: Any, scaler: Scaler, card: PolicyCard) -> Policy:
    """A model's policy as numbers alone."""
    layers = [each for each in model.policy.mlp_extractor.policy_net if isinstance(each, torch.nn.Linear)]
    layers.append(model.policy.action_net)
    return Policy(
        card=card,
        mean=scaler.mean,
        deviation=scaler.deviation,
        low=scaler.low,
        high=scaler.high,
        weights=tuple(each.weight.detach().cpu().numpy().copy() for each in layers),
        biases=tuple(each.bias.detach().cpu().numpy().copy() for each in layers),
    )


@dataclass(slots=True, kw_only=True)
class _State:
    """How far a training has come: its rounds, and the weights of the best of them."""

    told: list[Round] = field(default_factory=list)
    best: dict[str, Any] | None = None

    @property
    def since_best(self) -> int:
        """Rounds since the best one."""
        return next((back for back, each in enumerate(reversed(self.told)) if each.is_best), 0)


def _play_round(
    model: Any,
    ground: Ground,
    splits: Splits,
    plan: TrainingPlan,
    seed: int,
    number: int,
    stop: _Stop,
    scaler: Scaler,
) -> None:
    """Learn for one round, whose chance and episodes are its own."""
    set_random_seed(seed * 1_000_003 + number)
    env = SideBySide(_env(ground, (splits.train,), plan, np.random.default_rng((seed, number))), scaler)
    model.set_env(env)
    model._last_obs = None  # noqa: SLF001 - a round begins with new episodes; there is no other way to say so
    model.learn(plan.round_steps, callback=stop, reset_num_timesteps=True)


def _env(ground: Ground, parts: tuple[Stretch, ...], plan: TrainingPlan, rng: np.random.Generator) -> TradingEnv:
    return TradingEnv(
        ground=ground,
        parts=parts,
        length_ms=plan.length_ms,
        count=plan.count,
        rng=rng,
        bounds=plan.bounds,
        reward=plan.reward,
        chance=plan.chance,
    )


def _trained(model: Any, state: _State, scaler: Scaler, seed: int, plan: TrainingPlan) -> TrainedSeed:
    best = max((each.reward for each in state.told), default=-np.inf)
    if state.best is None:
        return TrainedSeed(seed=seed, policy=None, reward=best, rounds=len(state.told))
    model.policy.load_state_dict(state.best)
    policy = exported(model, scaler, PolicyCard(name=_NAME, bounds=plan.bounds))
    return TrainedSeed(seed=seed, policy=policy, reward=best, rounds=len(state.told))


def _write(file: Path, model: Any, state: _State) -> None:
    """Keep a training: numbers alone, and whole or not at all."""
    told = [(each.seed, each.number, each.reward, each.is_best) for each in state.told]
    now = {"policy": model.policy.state_dict(), "optimizer": model.policy.optimizer.state_dict()}
    try:
        private_files.write_whole(file, lambda whole: torch.save({**now, "best": state.best, "told": told}, whole))
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror}.") from None


def _read(file: Path, model: Any) -> _State:
    """Go on with what was kept, if anything was; nothing of it is executed."""
    if not file.exists():
        return _State()
    try:
        kept = torch.load(file, weights_only=True)
        model.policy.load_state_dict(kept["policy"])
        model.policy.optimizer.load_state_dict(kept["optimizer"])
        rounds = [
            Round(seed=int(seed), number=int(number), reward=float(reward), is_best=bool(is_best))
            for seed, number, reward, is_best in kept["told"]
        ]
        return _State(told=rounds, best=kept["best"])
    except Exception as error:  # noqa: BLE001 - a damaged file fails in as many ways as there are bytes
        raise StoreError(f"{file} cannot be gone on with: {type(error).__name__}.", "Train without --resume.") from None
