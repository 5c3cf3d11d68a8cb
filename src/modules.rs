//! The one list of modules: what this binary was built with. The only `cfg(feature)` in the project.

use halobestie_core::Entry;

/// The modules compiled in. A line here, a feature and a dependency in `Cargo.toml` add one.
pub static COMPILED: &[Entry] = &[
    #[cfg(feature = "analytics")]
    Entry::of::<halobestie_analytics::Analytics>(),
    #[cfg(feature = "auth")]
    Entry::of::<halobestie_auth::Auth>(),
    #[cfg(feature = "availability")]
    Entry::of::<halobestie_availability::Mitras>(),
    #[cfg(feature = "chat")]
    Entry::of::<halobestie_chat::Chat>(),
    #[cfg(feature = "control_center")]
    Entry::of::<halobestie_control_center::ControlCenter>(),
    #[cfg(feature = "email")]
    Entry::of::<halobestie_email::Email>(),
    #[cfg(feature = "fazpass")]
    Entry::of::<halobestie_fazpass::Fazpass>(),
    #[cfg(feature = "mobile")]
    Entry::of::<halobestie_mobile::Mobile>(),
    #[cfg(feature = "playground")]
    Entry::of::<halobestie_playground::Playground>(),
    #[cfg(feature = "uploads")]
    Entry::of::<halobestie_uploads::Uploads>(),
    #[cfg(feature = "fcm")]
    Entry::of::<halobestie_fcm::Fcm>(),
    #[cfg(feature = "xendit")]
    Entry::of::<halobestie_xendit::Xendit>(),
];

/// The names of all modules of the project, compiled in or not: the features of the manifest that bring
/// a crate, so that no second list is kept. Switching on one that is not compiled in gets an error of its
/// own.
pub fn known() -> Vec<String> {
    let manifest: toml::Table = toml::from_str(include_str!("../Cargo.toml")).unwrap_or_default();
    let features = manifest.get("features").and_then(toml::Value::as_table);
    let features = features.into_iter().flatten();
    let modules = features.filter(|(_, brings)| brings_a_crate(brings));
    modules.map(|(name, _)| name.clone()).collect()
}

/// The others are sets of features.
fn brings_a_crate(brings: &toml::Value) -> bool {
    let mut brings = brings.as_array().into_iter().flatten();
    brings.any(|it| it.as_str().is_some_and(|it| it.starts_with("dep:")))
}
