//! What a customer can ask for: the price list, a runtime setting.

use halobestie_core::ports::AdminRole;
use halobestie_core::settings::{Misfit, SettingValue};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The one currency.
const CURRENCY: &str = "IDR";
const PACKAGES_MAX: usize = 50;
const ID_CHARS_MAX: usize = 40;
const NAME_CHARS_MAX: usize = 80;
const MINUTES_MAX: u32 = 24 * 60;
const AMOUNT_MAX: i64 = 100_000_000;

/// A length of time and its price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Package {
    /// What a request names.
    #[schema(example = "15m", min_length = 1, max_length = 40)]
    pub id: String,
    /// What a customer sees.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// How long the session lasts.
    #[schema(minimum = 1, maximum = 1440)]
    pub minutes: u32,
    /// The price in whole rupiah.
    #[schema(minimum = 0, maximum = 100_000_000)]
    pub amount: i64,
    /// Always `IDR`.
    #[schema(default = "IDR")]
    #[serde(default = "rupiah")]
    pub currency: String,
}

/// The setting `packages`: a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Packages(pub Vec<Package>);

impl Packages {
    /// The package of this id.
    pub fn find(&self, id: &str) -> Option<&Package> {
        self.0.iter().find(|package| package.id == id)
    }
}

impl Default for Packages {
    fn default() -> Self {
        let package = |minutes: u32, amount| Package {
            id: format!("{minutes}m"),
            name: format!("{minutes} minutes"),
            minutes,
            amount,
            currency: rupiah(),
        };
        Self(vec![
            package(15, 25_000),
            package(30, 45_000),
            package(60, 80_000),
        ])
    }
}

impl SettingValue for Packages {
    const CHANGED_BY: AdminRole = AdminRole::Owner;

    fn validate(&self) -> Result<(), Misfit> {
        if self.0.is_empty() || self.0.len() > PACKAGES_MAX {
            let message = format!("expected 1 to {PACKAGES_MAX} packages");
            return Err(Misfit::at("", message));
        }
        for (index, package) in self.0.iter().enumerate() {
            let misfit = |(field, message)| Misfit::at(format!("[{index}].{field}"), message);
            package.check().map_err(misfit)?;
            let mut earlier = self.0[..index].iter();
            if earlier.any(|earlier| earlier.id == package.id) {
                return Err(misfit(("id", format!("{} occurs twice", package.id))));
            }
        }
        Ok(())
    }
}

impl Package {
    /// The first field that does not fit, and why.
    fn check(&self) -> Result<(), (&'static str, String)> {
        let characters = |text: &str, most| (1..=most).contains(&text.chars().count());
        let wrong = |field, message| Err((field, message));
        if !characters(&self.id, ID_CHARS_MAX) {
            return wrong("id", format!("must have 1 to {ID_CHARS_MAX} characters"));
        }
        if !characters(&self.name, NAME_CHARS_MAX) {
            return wrong(
                "name",
                format!("must have 1 to {NAME_CHARS_MAX} characters"),
            );
        }
        if !(1..=MINUTES_MAX).contains(&self.minutes) {
            return wrong("minutes", format!("must be 1 to {MINUTES_MAX}"));
        }
        if !(0..=AMOUNT_MAX).contains(&self.amount) {
            return wrong("amount", format!("must be 0 to {AMOUNT_MAX}"));
        }
        if self.currency != CURRENCY {
            return wrong("currency", format!("must be {CURRENCY}"));
        }
        Ok(())
    }
}

fn rupiah() -> String {
    CURRENCY.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_price_list_is_valid() {
        assert_eq!(Packages::default().validate(), Ok(()));
    }

    #[test]
    fn a_wrong_price_list_is_refused_with_the_package_that_is_wrong() {
        let spoilt = |spoil: fn(&mut Package)| {
            let mut packages = Packages::default();
            spoil(&mut packages.0[1]);
            packages.validate().unwrap_err()
        };
        assert_eq!(
            spoilt(|it| it.minutes = 0),
            Misfit::at("[1].minutes", "must be 1 to 1440")
        );
        assert_eq!(
            spoilt(|it| it.amount = -1),
            Misfit::at("[1].amount", "must be 0 to 100000000")
        );
        assert_eq!(
            spoilt(|it| it.id = "15m".into()),
            Misfit::at("[1].id", "15m occurs twice")
        );
        assert_eq!(
            spoilt(|it| it.currency = "USD".into()),
            Misfit::at("[1].currency", "must be IDR")
        );
        assert!(Packages(Vec::new()).validate().is_err());
    }
}
