# What a person types. Each recipe is a script, so that it can be run, read and checked alone.

# Root is needed to run containers; who is not root is asked by sudo.
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo --preserve-env=PATH,NO_COLOR)

.PHONY: help demo build images test test-slow bench lint fmt

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: ## build the program and run the Pod in examples/demo
	@scripts/setup-build
	@program=$$(PROFILE=release scripts/pillion-path) && \
		echo "pillion run examples/demo" >&2 && exec $(AS_ROOT) "$$program" run examples/demo

build: ## build the program for use and say where it is
	@scripts/setup-build
	@PROFILE=release scripts/pillion-path
	@echo "shell completion and manual pages: docs/usage.md" >&2

images: ## make the images of examples and tests from Debian packages, and import them
	@scripts/setup-test images
	@PILLION=$$(PROFILE=release scripts/pillion-path) tests/images/build

test: ## everything that is checked: lints, unit tests, end-to-end tests
	@scripts/test

test-slow: ## the same and what takes minutes
	@scripts/test --slow

bench: ## figures, as ratios to other tools in the same run
	@scripts/bench

lint: ## rustfmt, clippy, cargo-deny, and the project's own rules
	@scripts/lint

fmt: ## format the code
	@cargo fmt --all
