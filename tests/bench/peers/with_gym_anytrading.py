"""PPO as it comes, on gym-anytrading as it comes: ``python with_gym_anytrading.py FILE STEPS``; prints JSON."""

import json
import sys
import time

import gym_anytrading  # noqa: F401 - it registers its environments
import gymnasium
import numpy as np
import pandas as pd
import torch
from stable_baselines3 import PPO


def main() -> None:
    columns, steps = np.load(sys.argv[1]), int(sys.argv[2])
    names = {"Open": "open", "High": "high", "Low": "low", "Close": "close", "Volume": "volume"}
    frame = pd.DataFrame({name: columns[each] for name, each in names.items()})
    torch.set_num_threads(1)
    env = gymnasium.make("stocks-v0", df=frame, window_size=10, frame_bound=(10, len(frame)))
    model = PPO("MlpPolicy", env, seed=1, device="cpu")
    begun = time.process_time()
    model.learn(steps)
    took = time.process_time() - begun
    print(json.dumps({"seconds": took, "steps": model.num_timesteps}))  # noqa: T201


main()
