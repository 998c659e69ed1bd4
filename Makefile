# One target for each stage, of the stage's name. Every target sets up what it needs by itself.
#   make demo                       the whole line on documentation that this machine has; opens no network
#   make demo CORPUS=dir RUN=dir    the whole line on a corpus
#   make STAGE RUN=dir CONFIG=file  one stage, on what those before it have left
#   make write [STAGE=x] [FORM=jsonl|parquet] [TO=dir]  what a stage kept, as files for other tools
#   make measure RUN=dir | tune RUN=dir ARGS="rule=gopher.words max=9000"   what another threshold would drop
#   make compression RUN=dir [PEERS=dir]   tokens per byte of a run's tokenizer on unseen text, beside other vocabularies
#   make generate PROMPT="..."       text from a run's exported model
#   make import FROM=dir RUN=dir     a Hugging Face directory as the checkpoint that `make pretrain` goes on from
#   make search | predict | transfer | grow RUN=dir CONFIG=file   before a large run: docs/scaling.md
#   make benchmark | follow RUN=dir BENCHMARKS=dir   the report's benchmarks over the export | over a run's checkpoints
#   make test | test-slow | test-corpus CORPUS=dir | lint | bench [NAME=x]

VENV   := .venv
PYTHON := $(VENV)/bin/python
READY  := $(VENV)/.ready
TORCH  ?= torch==2.13.0
CORPUS ?=
BENCHMARKS ?=
RUN    ?= runs/demo
CONFIG ?= $(if $(CORPUS),configs/demo-corpus.yaml,configs/demo.yaml)
ARGS   ?=
SETS    = $(if $(BENCHMARKS),benchmark.folder=$(BENCHMARKS))
# What reads a run that is there takes the run's own settings, unless a CONFIG is given.
OWN     = $(if $(filter file,$(origin CONFIG)),$(or $(wildcard $(RUN)/config.yaml),$(CONFIG)),$(CONFIG))
LINE    = $(PYTHON) jobs/line.py --config $(CONFIG) run=$(RUN) $(if $(CORPUS),corpus=$(CORPUS)) $(SETS) $(ARGS)

STAGES := crawl extract clean dedup_paragraphs train_quality filter_quality dedup_documents decontaminate resample \
          train_tokenizer encode pretrain evaluate export report

# What goes before a large run: values found on a narrow proxy, carried to a wide model; its loss foretold; a model grown.
LEVERS := search transfer predict grow

.PHONY: help setup demo test test-slow test-corpus lint bench plan generate import write measure tune compression benchmark follow \
        $(LEVERS) $(STAGES)

help:
	@sed -n '1,13s/^# \{0,1\}//p' Makefile
	@echo "stages: $(STAGES)"

# The first Python of 3.11 or 3.12; torch first and by itself, or an open range would pull another build of it.
$(READY): setup.cfg constraints.txt jobs/provide_java.py
	@for p in python3 python3.11 python3.12; do \
	  if $$p -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null; then found=$$p; break; fi; done; \
	  [ -n "$$found" ] || { echo "make setup: needs Python 3.11 or 3.12 with venv (Debian: python3-venv python3-dev g++)"; exit 1; }; \
	  [ -x $(PYTHON) ] || $$found -m venv $(VENV)
	$(PYTHON) -m pip install -q --disable-pip-version-check "$(TORCH)"
	$(PYTHON) -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[datapipe,trainer,benchmark,dev]'
	$(PYTHON) -m pip install -q --disable-pip-version-check --no-deps megatron-core==0.16.1 mup==1.0.0  # references of two tests
	$(PYTHON) jobs/provide_java.py
	@touch $(READY)

setup: $(READY)

demo: $(READY)
	@$(LINE)

$(STAGES): $(READY)
	@$(LINE) --only $@

write: $(READY)
	@$(PYTHON) jobs/write.py --config $(OWN) run=$(RUN) $(if $(CORPUS),corpus=$(CORPUS)) --stage $(or $(STAGE),resample) \
	  --form $(or $(FORM),jsonl) $(if $(TO),--to $(TO)) $(ARGS)

compression: $(READY)
	@$(PYTHON) jobs/compression.py --config $(OWN) run=$(RUN) $(if $(CORPUS),corpus=$(CORPUS)) \
	  $(if $(PEERS),--peers $(PEERS)) $(ARGS)

measure: $(READY)
	@$(PYTHON) jobs/measure.py --config $(OWN) run=$(RUN) $(if $(CORPUS),corpus=$(CORPUS)) $(ARGS)

tune: $(READY)
	@$(PYTHON) jobs/tune.py --config $(OWN) run=$(RUN) $(ARGS)

# The prompt as it was typed: neither make nor the shell looks into it.
unexport PROMPT
generate: export PROMPT_TEXT := $(value PROMPT)
generate: $(READY)
	@$(PYTHON) jobs/generate.py --run $(RUN) $(ARGS) -- "$$PROMPT_TEXT"

import: $(READY)
	@[ -n "$(FROM)" ] || { echo "make import: say which model, FROM=dir"; exit 2; }
	@$(PYTHON) jobs/import_model.py --config $(CONFIG) run=$(RUN) --from "$(FROM)" $(ARGS)

benchmark follow: $(READY)
	@$(PYTHON) jobs/$@.py --config $(OWN) run=$(RUN) $(SETS) $(ARGS)

$(LEVERS): $(READY)
	@$(PYTHON) jobs/$@.py --config $(CONFIG) run=$(RUN) $(ARGS)

plan: $(READY)
	@$(PYTHON) jobs/plan.py --config $(CONFIG) $(ARGS)

test: $(READY)
	$(PYTHON) -m pytest

test-slow: $(READY)
	$(PYTHON) -m pytest -m slow

test-corpus: $(READY)
	@[ -n "$(CORPUS)" ] || { echo "make test-corpus: say which corpus, CORPUS=dir"; exit 2; }
	CORPUS=$(CORPUS) $(PYTHON) -m pytest -m corpus

lint: $(READY)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy

bench: $(READY)
	@$(PYTHON) -m benchmarks $(NAME) $(if $(CORPUS),--corpus $(CORPUS)) $(ARGS)
