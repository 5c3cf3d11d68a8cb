//! From the compiled modules to one set of contributions: who is enabled, in which order they are
//! built, and whether they kept their promises.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::migrate::{self, MigrationSet};
use crate::module::{Context, Contribution, Entry};
use crate::ports::Capability;
use crate::problem::BoxError;

/// Why the modules do not make a server.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// A need that nobody meets.
    #[error("{module} needs {capability}, which no enabled module provides{advice}")]
    Unmet {
        /// Who needs it.
        module: &'static str,
        /// What.
        capability: Capability,
        /// What to do, where that can be told.
        advice: String,
    },
    /// Modules that need each other.
    #[error("these modules need each other in a circle: {}", .0.join(", "))]
    Circle(Vec<&'static str>),
    /// Two modules that provide the same.
    #[error("{first} and {second} both provide {capability}: switch one off")]
    Double {
        /// One of them.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// What both provide.
        capability: Capability,
    },
    /// A module's own build failed.
    #[error("cannot build module {module}")]
    Build {
        /// Which.
        module: &'static str,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// A constant that lies: a bug of the module.
    #[error("module {module} declares {what}, but its build did not bring it")]
    Broken {
        /// Which.
        module: &'static str,
        /// What it declares.
        what: String,
    },
}

/// The enabled modules, each after those it needs.
///
/// # Errors
/// When a need is not met, is met twice, or needs run in a circle.
pub fn enabled(entries: &[Entry], config: &Config) -> Result<Vec<Entry>, AssembleError> {
    let mut waiting: Vec<Entry> = entries
        .iter()
        .filter(|entry| config.is_enabled(entry.name))
        .copied()
        .collect();
    refuse_doubles(&waiting)?;
    refuse_unmet(&waiting, entries)?;
    let mut ordered: Vec<Entry> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let provided: BTreeSet<Capability> = ordered
            .iter()
            .flat_map(|entry| entry.provides)
            .copied()
            .collect();
        let ready = |entry: &Entry| entry.needs.iter().all(|need| provided.contains(need));
        let Some(next) = waiting.iter().position(ready) else {
            return Err(AssembleError::Circle(
                waiting.iter().map(|entry| entry.name).collect(),
            ));
        };
        ordered.push(waiting.remove(next));
    }
    Ok(ordered)
}

fn refuse_doubles(enabled: &[Entry]) -> Result<(), AssembleError> {
    for (index, first) in enabled.iter().enumerate() {
        for second in &enabled[index + 1..] {
            if let Some(capability) = first
                .provides
                .iter()
                .find(|it| second.provides.contains(it))
            {
                let (first, second) = (first.name, second.name);
                return Err(AssembleError::Double {
                    first,
                    second,
                    capability: *capability,
                });
            }
        }
    }
    Ok(())
}

fn refuse_unmet(enabled: &[Entry], compiled: &[Entry]) -> Result<(), AssembleError> {
    for entry in enabled {
        for need in entry.needs {
            if enabled.iter().any(|other| other.provides.contains(need)) {
                continue;
            }
            let provider = compiled.iter().find(|other| other.provides.contains(need));
            let advice = provider.map_or_else(String::new, |provider| {
                format!(": set {}_ENABLED=true", provider.name.to_uppercase())
            });
            return Err(AssembleError::Unmet {
                module: entry.name,
                capability: *need,
                advice,
            });
        }
    }
    Ok(())
}

/// The migrations of core and of these modules, in the order in which they run.
pub fn migration_sets(enabled: &[Entry]) -> Vec<MigrationSet> {
    let modules = enabled
        .iter()
        .map(|entry| MigrationSet {
            module: entry.name,
            migrations: (entry.migrations)(),
        })
        .filter(|set| !set.migrations.is_empty());
    std::iter::once(migrate::CORE).chain(modules).collect()
}

/// Builds the modules in order and holds each to its constants.
///
/// # Errors
/// When a build fails or a constant lies.
pub async fn build(
    enabled: &[Entry],
    config: &Config,
    cx: &mut Context,
) -> Result<Contribution, AssembleError> {
    refuse_double_jobs(enabled)?;
    let mut all = Contribution::default();
    for entry in enabled {
        let module = entry.name;
        let part = (entry.build)(config, cx)
            .await
            .map_err(|source| AssembleError::Build { module, source })?;
        if let Some(missing) = entry.provides.iter().find(|it| !cx.ports.has(**it)) {
            return Err(AssembleError::Broken {
                module,
                what: missing.to_string(),
            });
        }
        refuse_undeclared_sweeps(entry, &part)?;
        refuse_undeclared_jobs(entry, &part)?;
        all.absorb(part);
    }
    Ok(all)
}

fn refuse_undeclared_sweeps(entry: &Entry, part: &Contribution) -> Result<(), AssembleError> {
    let declared: BTreeSet<&str> = entry.sweeps.iter().copied().collect();
    let brought: BTreeSet<&str> = part.sweeps.iter().map(|sweep| sweep.name).collect();
    match declared.symmetric_difference(&brought).next() {
        Some(name) => {
            let what = format!("other sweeps than it brings ({name})");
            Err(AssembleError::Broken {
                module: entry.name,
                what,
            })
        }
        None => Ok(()),
    }
}

fn refuse_undeclared_jobs(entry: &Entry, part: &Contribution) -> Result<(), AssembleError> {
    let declared: BTreeSet<&str> = entry.jobs.iter().map(|kind| kind.name).collect();
    let brought: BTreeSet<&str> = part.jobs.iter().map(|it| it.kind.name).collect();
    let other = declared.symmetric_difference(&brought).next();
    match other {
        None if part.jobs.len() == declared.len() => Ok(()),
        other => {
            let name = other.copied().unwrap_or("one of them twice");
            Err(AssembleError::Broken {
                module: entry.name,
                what: format!("other kinds of jobs than it brings ({name})"),
            })
        }
    }
}

/// Two modules that do the same kind would take each other's jobs.
fn refuse_double_jobs(enabled: &[Entry]) -> Result<(), AssembleError> {
    let mut seen = BTreeSet::new();
    for entry in enabled {
        if let Some(double) = entry.jobs.iter().find(|kind| !seen.insert(kind.name)) {
            let what = format!("the kind of job {}, as another module does", double.name);
            let module = entry.name;
            return Err(AssembleError::Broken { module, what });
        }
    }
    Ok(())
}

impl Contribution {
    fn absorb(&mut self, part: Contribution) {
        let Contribution {
            public,
            internal,
            sweeps,
            jobs,
            services,
            before_bind,
            checks,
            examinations,
            seeds,
        } = part;
        self.public.append(public);
        self.internal.append(internal);
        self.sweeps.extend(sweeps);
        self.jobs.extend(jobs);
        self.services.extend(services);
        self.before_bind.extend(before_bind);
        self.checks.extend(checks);
        self.examinations.extend(examinations);
        self.seeds.extend(seeds);
    }
}
