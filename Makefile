# Two commands do all on a fresh machine: `make book` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# An open range would take a CUDA build of several gigabytes.
TORCH := 2.13.0
STAMP := $(VENV)/.installed
# As many processes as cores, each with one thread: much of a test is starting kernels and waiting for pages.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist worksteal
PROSE := *.md _config.yml CITATION.cff Makefile pyproject.toml book mpinotes tests

# The execution cache and Sphinx look at a notebook alone: drop what they keep when the package, the
# weights or the data behind the notebooks change, or pages would show old numbers.
FRESH_CACHE = @mkdir -p _build && { $(BIN)/python -m mpinotes hash; echo "$$MEDMNIST_ROOT"; } > _build/inputs.new \
	&& { cmp -s _build/inputs.new _build/inputs || rm -rf _build/.jupyter_cache _build/.doctrees _build/without-solutions; } \
	&& mv _build/inputs.new _build/inputs

.PHONY: book strict book-without-solutions preview links ids slides pdf test notebooks rendered bench colab lab lint types lock version clean

$(STAMP): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

book: $(STAMP)  ## executed book in _build/html
	$(FRESH_CACHE)
	$(BIN)/jupyter-book build . $(BOOK_FLAGS)

strict: BOOK_FLAGS = -W -n --keep-going  ## the same, warnings are errors
strict: book

book-without-solutions: BOOK_FLAGS = --config _build/without-solutions.yml --path-output _build/without-solutions
book-without-solutions: _build/without-solutions.yml book  ## the same for a class, in _build/without-solutions/_build/html

# Beside the solutions go the downloads of the notebooks, which hold them.
_build/without-solutions.yml: _config.yml Makefile $(STAMP)
	mkdir -p $(@D)
	$(BIN)/python -c "import sys, yaml; config = yaml.safe_load(sys.stdin); sphinx = config['sphinx']; \
	sphinx['recursive_update'] = True; sphinx['config'].update(hide_solutions=True, html_copy_source=False); \
	sphinx['config']['html_theme_options'] = {'use_download_button': False}; $(MOVED); yaml.safe_dump(config, sys.stdout)" < $< > $@

# Paths of extensions count from the folder of the configuration, and these configurations lie in _build.
MOVED = sphinx['local_extensions'] = {name: '../' + path for name, path in sphinx['local_extensions'].items()}

_build/links.yml: _config.yml Makefile $(STAMP)
	mkdir -p $(@D)
	$(BIN)/python -c "import sys, yaml; config = yaml.safe_load(sys.stdin); sphinx = config['sphinx']; \
	config['execute']['execute_notebooks'] = 'off'; $(MOVED); \
	sphinx['config'].update(linkcheck_timeout=15, linkcheck_retries=2); yaml.safe_dump(config, sys.stdout)" < $< > $@

links: _build/links.yml  ## external links that broke or moved: a report, broken ones fail nothing
	rm -f _build/links/_build/html/output.json
	$(BIN)/jupyter-book build . --all --config $< --path-output _build/links --builder linkcheck > _build/links.log 2>&1 || true
	$(BIN)/python book/links.py _build/links/_build/html/output.json

ids: $(STAMP)  ## new ids for cells of copied notebooks
	$(BIN)/python book/tools/ids.py

preview: $(STAMP)  ## the book on http://127.0.0.1:8000/, built again on every change
	$(BIN)/python book/preview.py

slides: book  ## the figures of all chapters as a presentation, one file, in _build/slides.html
	$(BIN)/python book/tools/slides.py _build/html _build/slides.html

pdf: book  ## the whole book on paper, _build/mpinotes.pdf (needs Debian's chromium)
	$(BIN)/python book/tools/print.py

test: $(STAMP) lint types  ## unit tests and every notebook in the smoke profile
	$(PYTEST) tests --ignore tests/rendered

rendered: $(STAMP)  ## browser tests of the built book (needs Debian's chromium)
	$(PYTEST) tests/rendered

bench: $(STAMP)  ## benchmarks against naive references and MONAI, in one run
	$(BIN)/pip install --quiet --no-deps monai==1.6.1 einops==0.8.2
	$(BIN)/python -m tests.benchmarks

lab: $(STAMP)  ## the notebooks in JupyterLab
	$(BIN)/jupyter lab book

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell $(PROSE)

types: $(STAMP)
	$(BIN)/mypy

lock:  ## rewrite requirements.txt: exact pins of all that the ranges of pyproject.toml bring in
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet torch==$(TORCH) ".[book,dev]"
	{ echo "# Exact pins, written by 'make lock'. Ranges stand in pyproject.toml."; \
	  $(VENV)-lock/bin/pip freeze --exclude mpinotes | sed 's/+cpu$$//'; } > requirements.txt
	rm -r $(VENV)-lock

# What Colab comes with, or comes close to: other releases than requirements.txt. Some 5 GB with torch's CUDA build.
COLAB ?= torch==2.14.1 torchvision==0.29.1 numpy==2.2.6
colab: $(STAMP)  ## every notebook alone on an imitated Colab (needs the package index)
	$(BIN)/python -m tests.colab $(COLAB)

version:  ## write the package's version into first cells, Colab links and CITATION.cff
	$(PYTHON) book/tools/version.py

clean:
	rm -rf _build
