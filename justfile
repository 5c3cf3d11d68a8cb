# The same recipes that .ci/run goes through, by name. `just` lists them.

default:
    @just --list

# Formats everything.
fmt:
    cargo fmt --all

# What CI refuses: formatting and lints.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Runs all suites, or those of the named modules: `just test chat`.
test *modules:
    scripts/test {{ modules }}

# Compiles no module, each module alone, and all of them.
check-features:
    scripts/check-features

# Licences, advisories, bans; needs `cargo install cargo-deny`.
deny:
    cargo deny check

# Everything that CI does.
ci:
    .ci/run

# The whole server on this machine, Postgres and Valkey included.
dev *arguments:
    scripts/dev {{ arguments }}

# Deploys to this machine's Docker Engine, breaks it, restores it.
test-deploy *arguments:
    scripts/test-deploy {{ arguments }}
