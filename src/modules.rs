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
    #[cfg(feature = "email")]
    Entry::of::<halobestie_email::Email>(),
    #[cfg(feature = "fazpass")]
    Entry::of::<halobestie_fazpass::Fazpass>(),
    #[cfg(feature = "mobile")]
    Entry::of::<halobestie_mobile::Mobile>(),
    #[cfg(feature = "uploads")]
    Entry::of::<halobestie_uploads::Uploads>(),
    #[cfg(feature = "fcm")]
    Entry::of::<halobestie_fcm::Fcm>(),
    #[cfg(feature = "xendit")]
    Entry::of::<halobestie_xendit::Xendit>(),
];

/// The names of all modules of the project, compiled in or not: the features of the manifest, so that
/// no second list is kept. Switching on one that is not compiled in gets an error of its own.
pub fn known() -> Vec<String> {
    let manifest: toml::Table = toml::from_str(include_str!("../Cargo.toml")).unwrap_or_default();
    let features = manifest.get("features").and_then(toml::Value::as_table);
    let names = features.into_iter().flat_map(toml::Table::keys);
    names.filter(|name| *name != "default").cloned().collect()
}
