"""One run of pre-training on one rank: a step, what is logged, watched, validated, saved, and how it goes on after a stop."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from core.config import plain
from core.progress import Progress
from core.run import StageDirectory
from core.storage import local_path
from trainer import checkpoint as checkpoints
from trainer import plan, resume, schedule
from trainer.config import TrainConfig
from trainer.data import Blend, TokenData, Validation
from trainer.growth.masks import set_masks
from trainer.growth.record import KEY, Growth
from trainer.log import Log, rows
from trainer.monitor import Monitor
from trainer.parallel import states
from trainer.parallel.engine import Batch, Engine, StepResult
from trainer.parallel.ranks import Ranks
from trainer.rank import Stopped, Watchdog
from trainer.speed import Meter, stalls


class Loop:
    """One run on this rank."""

    def __init__(self, config: TrainConfig, ranks: Ranks, data: TokenData, directory: StageDirectory) -> None:
        config = config.for_tokenizer(data.vocabulary)
        self.config, self.ranks, self.data = config, ranks, data
        self.folder = Path(local_path(directory.uri))
        context = config.model.context
        self.blend = Blend(data, context, config.seed)
        limit = config.pretrain.validate_sequences * context or None
        self.validation = Validation(data, context, limit)
        self._found = resume.newest_whole(self.folder / "checkpoints", config, ranks.main)
        self.engine = Engine(config, ranks, len(self.blend.domains), data.eos, draw=self._found is None)
        self.monitor = Monitor(config.pretrain.monitor)
        self.step = 0
        self.meter = Meter(config, ranks.device)
        self.restarts = 0
        self.log: Log | None = None
        self.last_loss = float("nan")
        self.growth: Growth | None = None
        self._new_mix = ""  # what is marked in the log where the mix changed on the way
        self._past_epochs = False
        self._given = False  # the run began from a grown or imported checkpoint
        # Sequences that the steps before this start read beyond what these settings say of them: the batch was another.
        self._more = 0
        self._end = self._tokens_through(config.pretrain.steps)  # where a schedule in tokens ends if no length is set

    def run(self) -> dict[str, Any]:
        """To the last step; the facts for the manifest (on rank 0, those that need the log)."""
        try:
            return self._run()
        finally:
            if self.log is not None:
                self.log.close()  # TensorBoard's last curves are in a queue, and a rank that fails ends without clean-up

    def _run(self) -> dict[str, Any]:
        began = time.monotonic()
        pretrain = self.config.pretrain
        self.watchdog = Watchdog(60 * self.config.parallel.timeout_minutes)
        self._resume()
        if self.ranks.main:
            self.log = Log(self.folder, self.step)
            if self._new_mix:
                self.log.write({"step": self.step, "event": "new_mix", "message": self._new_mix})
            self.log.write({"step": self.step, "utilisation": self.meter.about()})
            self._past_epochs = bool(self.blend.beyond(self._sequences_through(self.step)))
            if beyond := self.blend.beyond(self._sequences_through(pretrain.steps)):
                print(f"  by step {pretrain.steps} the run will have gone beyond the epochs of its mix: {', '.join(beyond)}")
            (self.folder / "model.json").write_text(json.dumps(plain(self.config.model), indent=1), encoding="utf-8")
        bar = Progress("pretrain", total=pretrain.steps, unit="step", begin=self.step) if self.ranks.main else None
        saved = self.step
        validation: dict[str, Any] = {}
        while self.step < pretrain.steps:
            self.watchdog.beat(f"step {self.step + 1}")
            row = self._train_step()
            last = self.step == pretrain.steps
            if last or (pretrain.validate_every and self.step % pretrain.validate_every == 0):
                validation = self._validate()
            if last or (pretrain.save_every and self.step % pretrain.save_every == 0):
                self._save()
                saved = self.step
            if bar is not None:
                bar.reach(self.step, note=_line(row))
        if bar is not None:
            bar.close()
        if saved != self.step or not validation:
            validation = self._validate()
        self.watchdog.end()
        model = self.config.model
        return {
            "steps": self.step,
            "tokens": self._tokens_through(self.step),
            "batch": {"batch": pretrain.batch, "ramp": pretrain.ramp, "batch_unit": pretrain.batch_unit},
            "epochs": self.blend.epochs(self._sequences_through(self.step)),
            "first_loss": self.log.first_loss if self.log else None,
            "last_loss": self.last_loss,
            "validation": validation,
            **self.meter.over(),
            "utilisation": self.meter.about(),
            "checkpoint": f"checkpoints/{checkpoints.folder_name(self.step)}",
            "parameters": plan.parameters(model),
            "model": plain(model),
            "layout": plain(self.config.parallel),
            "restarts": self.restarts,
            "training_seconds": round(self.meter.seconds, 2),
            "checkpoints": stalls(rows(self.folder / "log.jsonl"), self.meter.seconds),
            "goodput": self.meter.goodput(self.folder),
            "seconds": round(time.monotonic() - began, 2),
        }

    def _train_step(self) -> dict[str, Any]:
        began = time.monotonic()
        pretrain, context = self.config.pretrain, self.config.model.context
        step, start = self.step + 1, self._sequences_through(self.step)
        count = pretrain.batch_at(step)
        tokens = (start + count) * context
        by_tokens = pretrain.schedule.unit == "tokens"
        share = schedule.factor(pretrain.schedule, *((tokens, self._end) if by_tokens else (step, pretrain.steps)))
        if self.growth is not None:
            share *= self.growth.rate(step)
        self._mask()
        rates = schedule.apply(self.engine.optimizer.param_groups, share)
        measured = bool(pretrain.norms_every) and step % pretrain.norms_every == 0
        before = states.masters(self.engine) if measured else None
        permit = self.monitor.permits if pretrain.monitor.policy == "skip" else None
        result = self.engine.step(self._batch(start, count), permit)
        self.step, self.last_loss = step, result.loss
        left = self._tokens_through(pretrain.steps) - tokens
        speed = self.meter.step(count * context, time.monotonic() - began, left)
        row: dict[str, Any] = {
            "step": step,
            "tokens": tokens,
            "loss": result.loss,
            "grad_norm": result.grad_norm,
            "lr": rates,
            **speed,
            "domains": self._by_domain(result),
        }
        if self.growth is not None:
            row["grown"] = self.growth.share(step - 1)
        if before is not None:
            row["weight_norm"] = dict(states.norms(self.engine))
            row["update_norm"] = dict(states.norms(self.engine, before))
        if result.skipped:
            row["skipped"] = True
        if self.log is not None and (step % pretrain.log_every == 0 or step == 1):
            self.log.write(row)
        self._watch(row)
        if self.log is not None and not self._past_epochs and (beyond := self.blend.beyond(start + count)):
            self._past_epochs = True
            said = f"step {step}: from here on the run is beyond the epochs of its mix: {', '.join(beyond)}"
            self.log.write({"step": step, "event": "epochs", "message": said})
        return row

    def _mask(self) -> None:
        """What counts of the parts that a growth added, by the steps done; when all of it does, no mask is left."""
        if self.growth is not None:
            share = self.growth.share(self.step)
            parts, model = self.engine.pipeline.held_parts(), self.config.model
            set_masks(parts, self.growth, model, share if share < 1.0 else None, self.ranks.tensor)

    def _batch(self, start: int, count: int) -> Batch:
        """This data rank's rows of the sequences start .. start + count; stages in the middle need only their number."""
        rows = self.engine.rows(count)
        if not (self.ranks.first or self.ranks.last):
            number = rows.stop - rows.start
            return Batch(
                torch.zeros(number, self.config.model.context + 1, dtype=torch.int64), torch.zeros(number, dtype=torch.int64)
            )
        tokens, domains = self.blend.sequences(start + rows.start, rows.stop - rows.start)
        return Batch(torch.from_numpy(tokens), torch.from_numpy(domains))

    def _by_domain(self, result: StepResult) -> dict[str, float]:
        pairs = zip(self.blend.domains, result.tally.tolist(), strict=True)
        return {name: nats / tokens for name, (nats, tokens) in pairs if tokens}

    def _watch(self, row: Mapping[str, Any]) -> None:
        """Every rank sees the same numbers, so all stop together; what is needed to look into it stands in stopped.json."""
        for event in self.monitor.observe(self.step, row["loss"], row["grad_norm"], row["tokens"]):
            if self.log is not None:
                self.log.write({"step": self.step, "event": event.kind, "message": event.message})
                print(f"\n  {event.message}", flush=True)
            if event.stop:
                first, beyond = (self._sequences_through(step) for step in (self.step - 1, self.step))
                saved = checkpoints.steps_in(self.folder / "checkpoints")
                facts = {
                    "sequences": [first, beyond - 1],
                    "mix": self.blend.hash,
                    resume.READ: self.blend.read(first),
                    "checkpoint": saved[-1] if saved else None,
                }
                if self.ranks.main:
                    whole = {"message": event.message, **row, **facts, "monitor": self.monitor.state()}
                    (self.folder / "stopped.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")
                raise Stopped(
                    f"{event.message} The step's data are sequences {first} to {beyond - 1} of mix {self.blend.hash}; the "
                    f"newest checkpoint is of step {facts['checkpoint']}; losses by domain and the window before are in "
                    f"{self.folder / 'stopped.json'}."
                )

    def _validate(self) -> dict[str, Any]:
        """Loss and bits per byte of each domain's held-out windows."""
        self._mask()
        micro = self.config.parallel.micro_batch
        # As many micro-batches at once as a training step has: one at a time would leave a pipeline's other stages idle.
        own = self.engine.rows(self.config.pretrain.batch_at(max(1, self.step)))
        most = max(1, (own.stop - own.start) // micro)
        found = {}
        for domain in self.validation.domains:
            nats = tokens = 0.0
            index = self.blend.domains.index(domain)
            start, windows = 0, self.validation.windows(domain)
            while start < windows:
                self.watchdog.beat(f"a validation batch of {domain}")
                count = micro * min(most, math.ceil((windows - start) / (micro * self.ranks.data_size)))
                held = self.validation.batch(domain, start + self.ranks.data * count, count)
                batch = Batch(torch.from_numpy(held.tokens), torch.full((count,), index), torch.from_numpy(held.mask).long())
                tally = self.engine.losses(batch)[index]
                nats, tokens = nats + float(tally[0]), tokens + float(tally[1])
                start += count * self.ranks.data_size
            bits = nats / 0.6931471805599453 / max(1, self.validation.utf8_bytes(domain))
            found[domain] = {"loss": nats / max(1.0, tokens), "bpb": bits, "tokens": int(tokens)}
        if self.log is not None:
            self.log.write({"step": self.step, "validation": found})
        return found

    def _save(self) -> None:
        began = time.monotonic()
        self.watchdog.beat(f"the checkpoint of step {self.step}")
        folder = self.folder / "checkpoints"
        state = {
            "step": self.step,
            "sequences": self._sequences_through(self.step),
            "tokens": self._tokens_through(self.step),
            "schedule_end": self._end,
            "seed": self.config.seed,
            "model": plain(self.config.model),
            "mix": self.blend.hash,
            resume.READ: self.blend.read(self._sequences_through(self.step)),
            "monitor": self.monitor.state(),
            "training_seconds": self.meter.seconds,
            "training_tokens": self.meter.tokens,
            "restarts": self.restarts,
            "given": self._given,
            "last_loss": self.last_loss,
            KEY: None if self.growth is None else dataclasses.asdict(self.growth),
        }
        states.save(self.engine, checkpoints.Writer(folder, self.step), state, self.watchdog.beat)
        if self.ranks.main:
            checkpoints.prune(folder, self.config.pretrain.keep, self.config.pretrain.keep_every, self.step)
        if self.log is not None:
            stall = time.monotonic() - began
            self.log.write({"step": self.step, "checkpoint_seconds": stall, "goodput": self.meter.goodput(self.folder)})

    def _resume(self) -> None:
        found, pretrain = self._found, self.config.pretrain
        if found is None:
            return
        state: Mapping[str, Any] = found.state
        resume.check_network(found, self.config.model)
        self._new_mix = resume.check_mix(found, self.blend.hash, self.config, self.folder)
        resume.read_on(self.blend, found)
        states.restore(self.engine, found, self.watchdog.beat)
        self.step, self.last_loss = found.step, float(state["last_loss"])
        self.restarts = int(state["restarts"]) + 1
        self._given = resume.is_first(state) or bool(state.get("given"))
        self._more = int(state["sequences"]) - pretrain.sequences_through(found.step)
        self._end = self._tokens_through(pretrain.steps)
        if not resume.is_first(state):  # else the time and the schedule are those of another run
            self._end = int(state.get("schedule_end", self._end))
            self.meter.go_on(float(state["training_seconds"]), int(state.get("training_tokens", state["tokens"])))
        self.growth = Growth.of(state)
        self.monitor.restore(state["monitor"])
        if self.ranks.main:
            print(f"  goes on from {found.path.name}", flush=True)

    def _sequences_through(self, step: int) -> int:
        """Sequences read by the end of a step, from the run's beginning on, whatever the batch was."""
        return self._more + self.config.pretrain.sequences_through(step)

    def _tokens_through(self, step: int) -> int:
        return self._sequences_through(step) * self.config.model.context


def _line(row: Mapping[str, Any]) -> str:
    return f"loss {row['loss']:.3f}, gradient norm {row['grad_norm']:.2f}, {row['tokens_per_second']:,.0f} tokens/s"
