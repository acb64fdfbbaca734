# Two commands for a newcomer: `make demo` and `make test`. Both install what is missing.

CARGO ?= cargo

.PHONY: demo test faults fuzz accuracy bench bench-peers install check-format check-lints check-docs check-tests check-reports check-fresh

demo: install
	$(CARGO) build --release --locked
	target/release/sitewatch simulate pipelines/demo-recipe.toml --out demo/scenes
	target/release/sitewatch run pipelines/demo.toml --out demo/reports
	@echo "Open $(CURDIR)/demo/reports/index.html in a browser."

test: install check-format check-lints check-tests check-reports check-docs check-fresh

check-format:
	$(CARGO) fmt --check

check-lints:
	$(CARGO) clippy --locked --all-targets -- -D warnings

check-tests:
	$(CARGO) test --release --locked --no-fail-fast

# Every file of some reports, by independent programs; the pages in a browser.
check-reports:
	$(CARGO) build --release --locked
	scripts/check-reports.sh

check-docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

# What is committed is what builds: a fresh clone, with the dependencies that are built already.
# CI is a fresh clone itself.
check-fresh:
	test -n "$(CI)" || scripts/fresh-clone.sh

# Every system call of a small run fails once, kills, full disks, a thousand flipped bits of inputs and of outputs.
faults: install
	scripts/faults.sh

# Two minutes of texts from outside, changed at random.
fuzz: install
	SITEWATCH_FUZZ_SECONDS=120 $(CARGO) test --release --locked --test suite mutations:: -- --nocapture

# Figures on labelled imagery, where it is present.
accuracy: install
	$(CARGO) build --release --locked
	scripts/accuracy.sh

# Time and memory on whole tiles and of every kernel, beside the limits.
bench: install
	$(CARGO) build --release --locked
	scripts/bench.sh

# The same pair by public packages, and by us in turn.
bench-peers: install
	$(CARGO) build --release --locked
	benches/peers/run.sh

install:
	scripts/install.sh
