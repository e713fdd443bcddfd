# Two commands do all on a fresh machine: `make book` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# An open range would take a CUDA build of several gigabytes.
TORCH := 2.13.0
STAMP := $(VENV)/.installed
PORT ?= 8000
# As many processes as cores, each with one thread: much of a test is starting kernels and waiting for pages.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist worksteal
PROSE := *.md _config.yml CITATION.cff Makefile pyproject.toml book mpinotes tests

.PHONY: help book strict book-without-solutions preview links ids pictures slides pdf test rendered bench wheel colab lab lint types lock version clean

help:  ## these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-24s%s\n", $$1, $$2 }' Makefile

$(STAMP): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

book: $(STAMP)  ## the executed book, in _build/html
	$(BIN)/jupyter-book build .

strict: $(STAMP)  ## the same, warnings are errors
	$(BIN)/jupyter-book build . -W -n --keep-going

book-without-solutions: $(STAMP)  ## the same for a class, in _build/without-solutions/_build/html
	VARIANT=without-solutions $(BIN)/jupyter-book build . --path-output _build/without-solutions

# Sphinx alone wants a conf.py, and it watches this whole folder.
preview: $(STAMP)  ## the book on http://127.0.0.1:8000/, built again on every change (PORT=… takes another port)
	$(BIN)/sphinx-autobuild . _build/preview/html --port $(PORT) --pre-build "$(BIN)/jupyter-book config sphinx ." \
		--ignore conf.py --ignore _build --ignore runs --ignore tests --re-ignore '__pycache__|\.ipynb_checkpoints'

links: $(STAMP)  ## external links that broke or moved: a report that fails nothing
	rm -f _build/links/_build/html/output.txt
	-VARIANT=unexecuted $(BIN)/jupyter-book build . --builder linkcheck --path-output _build/links
	@grep -E '\[(broken|redirected permanently)\]' _build/links/_build/html/output.txt || test $$? = 1

ids: $(STAMP)  ## new ids for cells of copied notebooks
	$(BIN)/python book/tools/ids.py

pictures: $(STAMP)  ## the pictures of README and front page, from the released weights
	$(BIN)/python -m book.tools.pictures

slides: book  ## the figures of all chapters as a presentation, one file, _build/slides.html
	$(BIN)/python book/tools/slides.py _build/html _build/slides.html

pdf: book  ## the whole book on paper, _build/mpinotes.pdf (needs Debian's chromium)
	$(BIN)/python book/tools/print.py

test: $(STAMP) lint types  ## lint, types, unit tests and every notebook in the smoke profile
	$(PYTEST) tests --ignore tests/rendered

rendered: $(STAMP)  ## browser tests of the built book (needs Debian's chromium)
	$(PYTEST) tests/rendered

bench: $(STAMP)  ## benchmarks against naive references and MONAI, in one run
	$(BIN)/pip install --quiet --no-deps monai==1.6.1 einops==0.8.2
	$(BIN)/python -m tests.benchmarks

wheel: $(STAMP)  ## the package as one file, in dist, to install where its address is out of reach
	rm -rf build dist
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

colab: $(STAMP)  ## every notebook alone on an imitated Colab (needs the package index and Python 3.12)
	$(BIN)/python -m tests.colab $(COLAB)

lab: $(STAMP)  ## the notebooks in JupyterLab
	$(BIN)/jupyter lab book

lint: $(STAMP)  ## style and spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell $(PROSE)

types: $(STAMP)  ## types of the package
	$(BIN)/mypy

lock:  ## rewrite requirements.txt: exact pins of all that the ranges of pyproject.toml bring in
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet torch==$(TORCH) ".[book,dev]"
	{ echo "# Exact pins, written by 'make lock'. Ranges stand in pyproject.toml."; \
	  $(VENV)-lock/bin/pip freeze --exclude mpinotes | sed 's/+cpu$$//'; } > requirements.txt
	rm -r $(VENV)-lock

version:  ## write the package's version into first cells, links to Colab, README and CITATION.cff
	$(PYTHON) book/tools/version.py

clean:  ## remove what was built, with all cached results
	rm -rf _build conf.py
