//! What every page has around it: the title, who is signed in, where one can go.

use halobestie_core::ports::{AdminRole, SignedAdmin};

use crate::assets;

/// A page that one can go to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Its address.
    pub(crate) path: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// Whom it is shown to.
    pub(crate) needs: AdminRole,
}

impl Place {
    const fn of(path: &'static str, name: &'static str) -> Self {
        Self {
            path,
            name,
            needs: AdminRole::Viewer,
        }
    }
}

/// The first page.
pub(crate) const DASHBOARD: &str = "/";
pub(crate) const MITRAS: &str = "/mitras";
pub(crate) const CUSTOMERS: &str = "/customers";
pub(crate) const SESSIONS: &str = "/sessions";
pub(crate) const REQUESTS: &str = "/requests";
pub(crate) const PAYMENTS: &str = "/payments";
pub(crate) const REPORTS: &str = "/reports";
pub(crate) const CONFIG: &str = "/config";
pub(crate) const SWEEPS: &str = "/sweeps";
pub(crate) const AUDIT: &str = "/audit";
/// The own page, which stands with the name of who is signed in.
pub(crate) const ACCOUNT: &str = "/account";
pub(crate) const ADMINS: &str = "/admins";
pub(crate) const SYSTEM: &str = "/system";

/// Every page of the navigation, in its order.
pub(crate) const PLACES: &[Place] = &[
    Place::of(DASHBOARD, "Dashboard"),
    Place::of(MITRAS, "Mitras"),
    Place::of(CUSTOMERS, "Customers"),
    Place::of(SESSIONS, "Sessions"),
    Place::of(REQUESTS, "Requests"),
    Place::of(PAYMENTS, "Payments"),
    Place::of(REPORTS, "Reports"),
    Place::of(CONFIG, "Configuration"),
    Place::of(SWEEPS, "Sweeps"),
    Place::of(AUDIT, "Audit"),
    Place {
        path: ADMINS,
        name: "Admins",
        needs: AdminRole::Owner,
    },
    Place::of(SYSTEM, "System"),
];

/// What the layout shows.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The page's name.
    pub(crate) title: String,
    /// Which of [`PLACES`] it belongs to.
    pub(crate) here: &'static str,
    /// What was just done.
    pub(crate) notice: Option<&'static str>,
    admin: Option<SignedAdmin>,
}

impl Frame {
    /// Around a page of somebody who is signed in.
    pub(crate) fn new(admin: &SignedAdmin, here: &'static str, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            here,
            notice: None,
            admin: Some(admin.clone()),
        }
    }

    /// Around a page that nobody has to be signed in for.
    pub(crate) fn bare(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            here: "",
            notice: None,
            admin: None,
        }
    }

    /// Says what was just done.
    #[must_use]
    pub(crate) fn notice(mut self, notice: Option<&'static str>) -> Self {
        self.notice = notice;
        self
    }

    /// Who is signed in.
    pub(crate) fn admin(&self) -> Option<&SignedAdmin> {
        self.admin.as_ref()
    }

    /// Whether they may do what takes an operator.
    pub(crate) fn may_act(&self) -> bool {
        self.may(AdminRole::Operator)
    }

    fn may(&self, needed: AdminRole) -> bool {
        self.admin
            .as_ref()
            .is_some_and(|admin| admin.role.covers(needed))
    }

    /// Where they can go.
    pub(crate) fn places(&self) -> impl Iterator<Item = &'static Place> {
        let admin = self.admin.clone();
        PLACES
            .iter()
            .filter(move |place| admin.as_ref().is_some_and(|it| it.role.covers(place.needs)))
    }

    /// The address of one of our files, with its contents' mark.
    pub(crate) fn asset(&self, name: &str) -> String {
        assets::address(name)
    }
}
