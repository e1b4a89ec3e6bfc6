"""The training loop: mini-batch gradient steps for several models side by side, early stopping, best one kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import evaluation
import numpy as np
from model import Floats, LinearModel, sigmoid, softmax
from sagemaker_io import UserError
from settings import AUTO, DECAY, DECAY_STEPS, SMALLEST_RATE, Settings

#: the service has no seed hyperparameter; the same data and settings give the same model here
_SEED = 0
_ADAM_SMALL = 1e-8
Log = Callable[[str], None]


@dataclass(frozen=True)
class Channel:
    """Features [rows, features] and labels [rows]."""

    features: Floats
    labels: Floats


@dataclass(frozen=True)
class Scaler:
    """Means and deviations that training data is brought to 0 and 1 with."""

    mean: Floats
    deviation: Floats
    label_mean: float = 0.0
    label_deviation: float = 1.0

    @classmethod
    def of(cls, settings: Settings, train: Channel) -> "Scaler":
        """Measured on the first num_point_for_scaler rows."""
        sample = train.features[: settings.num_point_for_scaler]
        labels = train.labels[: settings.num_point_for_scaler]
        width = sample.shape[1]
        mean, deviation = np.zeros(width, np.float32), np.ones(width, np.float32)
        if settings.normalize_data:
            deviation = sample.std(axis=0)
            deviation[deviation == 0] = 1
            if settings.auto("unbias_data", True):
                mean = sample.mean(axis=0)
        regressor = settings.predictor_type == "regressor"
        if not (regressor and settings.auto("normalize_label", True)):
            return cls(mean, deviation)
        unbiased = settings.auto("unbias_label", True)
        return cls(mean, deviation, float(labels.mean()) if unbiased else 0.0, float(labels.std()) or 1.0)

    def fold(self, settings: Settings, weights: Floats, bias: Floats) -> LinearModel:
        """The model for raw features and raw labels."""
        scaled = weights / self.deviation[:, None]
        shifted = bias - self.mean @ scaled
        return LinearModel(
            settings.predictor_type,
            (scaled * self.label_deviation).astype(np.float32),
            (shifted * self.label_deviation + self.label_mean).astype(np.float32),
        )


class Optimizer:
    """Adam (the default) or plain gradient descent with momentum, one learning rate per column."""

    def __init__(self, settings: Settings, rates: Floats) -> None:
        self._settings = settings
        self._rates = rates
        self._first = settings.auto("beta_1", 0.9)
        self._second = settings.auto("beta_2", 0.999)
        self._momentum = settings.auto("momentum", 0.0)
        self._state: dict[str, tuple[Any, Any]] = {}
        self.steps = 0

    def begin_step(self) -> None:
        """Count one mini batch; learning rates fall with it."""
        self.steps += 1

    def change(self, name: str, gradient: Any) -> Any:
        """What to subtract from the parameter `name`."""
        rates = self._rates
        if self._settings.use_lr_scheduler:
            every = self._settings.auto("lr_scheduler_step", DECAY_STEPS)
            factor = self._settings.auto("lr_scheduler_factor", DECAY) ** (self.steps // every)
            rates = np.maximum(rates * factor, self._settings.auto("lr_scheduler_minimum_lr", SMALLEST_RATE))
        first, second = self._state.get(name, (0.0, 0.0))
        if self._settings.optimizer == "sgd":
            first = self._momentum * first + gradient
            self._state[name] = (first, second)
            return rates * first
        first = self._first * first + (1 - self._first) * gradient
        second = self._second * second + (1 - self._second) * gradient**2
        self._state[name] = (first, second)
        unbiased = first / (1 - self._first**self.steps)
        return rates * unbiased / (np.sqrt(second / (1 - self._second**self.steps)) + _ADAM_SMALL)


class Fit:
    """Trains as many models as there are learning rates; columns of the weights are model after model."""

    def __init__(self, settings: Settings, train: Channel, validation: Channel | None, log: Log) -> None:
        self.settings = settings
        self.log = log
        self.classes = settings.classes
        self.models = len(settings.learning_rates)
        self.scaler = Scaler.of(settings, train)
        self.train = Channel(self._scaled(train.features), self._scaled_labels(train.labels))
        self.judge = validation or train
        self.validation = validation
        self.raw_train = train
        self.weights_of_rows = self._row_weights(train.labels)
        self.random = np.random.default_rng(_SEED)
        shape = (train.features.shape[1], self.models * self.classes)
        if settings.init_method == "uniform":
            self.weights = self.random.uniform(-settings.init_scale, settings.init_scale, shape).astype(np.float32)
        else:
            self.weights = self.random.normal(0, settings.init_sigma, shape).astype(np.float32)
        self.bias = np.full(shape[1], settings.init_bias, np.float32)
        rates = np.repeat(np.array(settings.learning_rates, np.float32), self.classes)
        self.optimizer = Optimizer(settings, rates)

    def run(self) -> LinearModel:
        """Train until the epochs or the patience end; of each model the epoch with the lowest loss is kept."""
        kept: list[tuple[float, LinearModel | None]] = [(np.inf, None)] * self.models
        waiting = 0
        for epoch in range(self.settings.epochs):
            began = time.monotonic()
            self._epoch()
            seconds = max(time.monotonic() - began, 1e-9)
            self._report_epoch(epoch)
            before = min(lost for lost, _ in kept)
            for index in range(self.models):
                model = self._model(index)
                lost = evaluation.loss(self.settings.loss, model.scores(self.judge.features), self.judge.labels)
                if lost < kept[index][0]:
                    kept[index] = (lost, model)
            after = min(lost for lost, _ in kept)
            self.log(
                f"#early_stopping_criteria_metric: host=algo-1, epoch={epoch}, "
                f"criteria={evaluation.OBJECTIVES[self.settings.loss]}, value={after}"
            )
            if after < before:
                self.log(f"Epoch {epoch}: Loss improved. Updating best model")
            done = 100 * (epoch + 1) // self.settings.epochs
            self.log(f"#progress_metric: host=algo-1, completed {done} % of epochs")
            rows = len(self.train.labels)
            self.log(f"#throughput_metric: host=algo-1, train throughput={rows / seconds} records/second")
            improved = after < before - self.settings.early_stopping_tolerance * abs(after)
            waiting = 0 if improved else waiting + 1
            if waiting >= self.settings.early_stopping_patience:
                self.log("Early stop condition met. Stopping training.")
                break
        return self._select([(lost, model) for lost, model in kept if model is not None])

    def _scaled(self, features: Floats) -> Floats:
        return ((features - self.scaler.mean) / self.scaler.deviation).astype(np.float32)

    def _scaled_labels(self, labels: Floats) -> Floats:
        return ((labels - self.scaler.label_mean) / self.scaler.label_deviation).astype(np.float32)

    def _row_weights(self, labels: Floats) -> Floats:
        weights = np.ones(len(labels), np.float32)
        if self.settings.predictor_type == "binary_classifier":
            wanted = self.settings.positive_example_weight_mult
            positives = max(int((labels > 0).sum()), 1)
            weights[labels > 0] = (len(labels) - positives) / positives if wanted == "balanced" else wanted
        return weights

    def _epoch(self) -> None:
        order = self.random.permutation(len(self.train.labels))
        size = self.settings.mini_batch_size
        for start in range(0, len(order), size):
            self._step(order[start : start + size])

    def _step(self, rows: Any) -> None:
        features, labels = self.train.features[rows], self.train.labels[rows]
        raw = features @ self.weights + self.bias
        slope = self._slope(raw, labels) * self.weights_of_rows[rows, None] / len(rows)
        gradient = features.T @ slope
        gradient += self.settings.auto("wd", 0.0) * self.weights
        gradient += self.settings.auto("l1", 0.0) * np.sign(self.weights)
        self.optimizer.begin_step()
        self.weights -= self.optimizer.change("weights", gradient).astype(np.float32)
        if self.settings.use_bias:
            slope_of_bias = slope.sum(axis=0) + self.settings.auto("bias_wd_mult", 0.0) * self.bias
            change = self.optimizer.change("bias", slope_of_bias) * self.settings.auto("bias_lr_mult", 1.0)
            self.bias -= change.astype(np.float32)

    def _slope(self, raw: Any, labels: Floats) -> Any:
        """Derivative of the loss by the raw outputs, [rows, models * classes]."""
        if self.settings.loss == "logistic":
            return sigmoid(raw) - labels[:, None]
        if self.settings.loss == "softmax_loss":
            chances = softmax(raw.reshape(len(raw), self.models, self.classes))
            chances[np.arange(len(raw)), :, labels.astype(int)] -= 1
            return chances.reshape(len(raw), -1)
        if self.settings.loss == "squared_loss":
            return 2 * (raw - labels[:, None])
        return np.sign(raw - labels[:, None])

    def _model(self, index: int) -> LinearModel:
        columns = slice(index * self.classes, (index + 1) * self.classes)
        return self.scaler.fold(self.settings, self.weights[:, columns], self.bias[columns])

    def _select(self, trained: list[tuple[float, LinearModel]]) -> LinearModel:
        """The model with the lowest loss, its threshold set by the selection criterion.

        The criterion does not choose between the models: on a few hundred rows it would prefer one that happens to
        get one row more right with scores far from probabilities.
        """
        if not trained:
            raise UserError("The training diverged: the loss is not a number. Choose a smaller learning_rate.")
        _, model = min(trained, key=lambda each: each[0])
        if self.settings.predictor_type == "binary_classifier":
            scores = model.scores(self.judge.features)
            model.threshold = evaluation.choose_threshold(self.settings, scores, self.judge.labels)
        return model

    def _report_epoch(self, epoch: int) -> None:
        """The objective of the first model, as the service prints it."""
        model = self._model(0)
        name = evaluation.OBJECTIVES[self.settings.loss]
        for channel, data in (("train", self.raw_train), ("validation", self.validation)):
            if data is not None:
                value = evaluation.loss(self.settings.loss, model.scores(data.features), data.labels)
                self.log(f"#quality_metric: host=algo-1, epoch={epoch}, {channel} {name} <loss>={value}")


def default_configuration(settings: Settings) -> str:
    """All hyperparameters as one log line shows them."""
    shown = {name: AUTO if value == AUTO else str(value) for name, value in settings.values.items()}
    return f"Final configuration: {shown}"
