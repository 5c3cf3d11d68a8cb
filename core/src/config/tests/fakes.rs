//! Two modules and a folder, for tests.

use std::future::Future;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use crate::config::files::BuiltIn;
use crate::config::{
    AppEnv, Checks, Config, Invalid, Kind, Section, Shown, Sources, Variable, load,
};
use crate::migrate::Migration;
use crate::module::{Context, Contribution, Entry, Module};
use crate::ports::Capability;
use crate::problem::{BoxError, ErrorCode};

/// Provides what [`Tea`] needs, and brings the defaults of its section itself.
struct Kettle;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KettleConfig {
    pub(super) litres: u8,
    pub(super) lid: bool,
}

impl Section for KettleConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new("KETTLE_LITRES", "litres", Kind::Integer, "how much"),
        Variable::new("KETTLE_LID", "lid", Kind::Bool, "whether it has one"),
    ];
    const DEFAULTS: &'static str = "litres = 2\nlid = true\n";
}

/// Has a key of every kind.
struct Tea;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TeaConfig {
    pub(super) leaf: String,
    pub(super) cups: u8,
    pub(super) sugar: bool,
    pub(super) guests: Vec<String>,
    pub(super) recipe: SecretString,
    pub(super) old_recipes: Vec<SecretString>,
    pub(super) note: Option<String>,
    pub(super) minutes: Option<u64>,
}

impl Section for TeaConfig {
    const VARIABLES: &'static [Variable] = &[
        Variable::new("TEA_LEAF", "leaf", Kind::Text, "what is brewed"),
        Variable::new("TEA_CUPS", "cups", Kind::Integer, "how many"),
        Variable::new("TEA_SUGAR", "sugar", Kind::Bool, "whether it is sweet"),
        Variable::new("TEA_GUESTS", "guests", Kind::List, "who drinks"),
        Variable::new("TEA_RECIPE", "recipe", Kind::Secret, "how it is done"),
        Variable::new(
            "TEA_OLD_RECIPES",
            "old_recipes",
            Kind::SecretList,
            "how it was done",
        ),
        Variable::new("TEA_NOTE", "note", Kind::Text, "anything else").or(&["HOST_NOTE"]),
        Variable::new("TEA_MINUTES", "minutes", Kind::Integer, "how long"),
    ];

    fn validate(&self, env: AppEnv) -> Vec<Invalid> {
        let leaf_is_good = !env.is_deployed() || self.leaf != "dust";
        Checks::default()
            .range("cups", self.cups, 1..=12)
            .require(
                "leaf",
                leaf_is_good,
                format!("expected something better in {env}"),
            )
            .invalid
    }
}

macro_rules! fake_module {
    ($module:ty, $name:literal, $config:ty, $needs:expr, $provides:expr) => {
        impl Module for $module {
            const NAME: &'static str = $name;
            const NEEDS: &'static [Capability] = $needs;
            const PROVIDES: &'static [Capability] = $provides;
            const SWEEPS: &'static [&'static str] = &[];
            type Config = $config;

            fn migrations() -> &'static [Migration] {
                &[]
            }
            fn errors() -> &'static [&'static ErrorCode] {
                &[]
            }
            fn openapi() -> utoipa::openapi::OpenApi {
                utoipa::openapi::OpenApi::default()
            }
            fn build(
                _: Self::Config,
                _: &mut Context,
            ) -> impl Future<Output = Result<Contribution, BoxError>> + Send {
                std::future::ready(Ok(Contribution::default()))
            }
        }
    };
}

fake_module!(
    Kettle,
    "kettle",
    KettleConfig,
    &[],
    &[Capability::Directory]
);
fake_module!(Tea, "tea", TeaConfig, &[Capability::Directory], &[]);

pub(super) static ENTRIES: [Entry; 2] = [Entry::of::<Kettle>(), Entry::of::<Tea>()];

/// All modules of the made-up project: `samovar` is not compiled in.
pub(super) const KNOWN: [&str; 3] = ["kettle", "tea", "samovar"];

pub(super) const DEFAULT: &str = concat!(
    include_str!("../../../../config/default.toml"),
    r#"
    [kettle]
    enabled = true

    [tea]
    enabled = true
    leaf = "assam"
    cups = 2
    sugar = false
    guests = []
    recipe = "steep-it"
    old_recipes = []
    note = ""
    minutes = ""

    [samovar]
    enabled = true
    "#
);

pub(super) static BUILT_IN: BuiltIn = BuiltIn {
    default: DEFAULT,
    of_env: |env| match env {
        AppEnv::Test => "[tea]\nleaf = \"rooibos\"\n",
        _ => "",
    },
};

/// Sources with a database and these variables.
pub(super) fn sources(variables: &[(&str, &str)]) -> Sources {
    let database = ("DATABASE_URL", "postgres://bear:hunny@localhost/forest");
    let variables = std::iter::once(&database).chain(variables);
    let env = variables
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    Sources {
        env,
        ..Sources::default()
    }
}

/// The configuration of these variables.
pub(super) fn config(variables: &[(&str, &str)]) -> Config {
    load_sources(&sources(variables))
}

pub(super) fn load_sources(sources: &Sources) -> Config {
    Config::load_over(&BUILT_IN, sources, &ENTRIES, &KNOWN).unwrap()
}

/// The section of the module `tea`.
pub(super) fn tea(config: &Config) -> TeaConfig {
    config.section("tea").unwrap()
}

/// What is wrong with these variables.
pub(super) fn problems(variables: &[(&str, &str)]) -> Vec<String> {
    problems_of(&sources(variables))
}

pub(super) fn problems_of(sources: &Sources) -> Vec<String> {
    load::load(&BUILT_IN, sources, &ENTRIES, &KNOWN).1.lines
}

/// A row of what is shown.
pub(super) fn shown(config: &Config, key: &str) -> Shown {
    config
        .shown()
        .into_iter()
        .find(|shown| shown.key == key)
        .unwrap()
}

/// A folder that is gone after the test.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// `name` must differ from test to test.
    pub(super) fn new(name: &str) -> Self {
        let name = format!("halobestie-config-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and tells its path.
    pub(super) fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Sources that read the files of this folder.
    pub(super) fn sources(&self, variables: &[(&str, &str)]) -> Sources {
        Sources {
            config_dir: Some(self.0.clone()),
            ..sources(variables)
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
