//! Figures that a server shows to Prometheus.

use anyhow::{Context as _, Error};

use crate::http_client::{HttpClient, request};
use crate::side::Side;

/// The sum of a counter over all its labels; `None` where the side shows none.
pub(crate) async fn sum(side: &Side, name: &str) -> Result<Option<f64>, Error> {
    let Some(address) = side.metrics else {
        return Ok(None);
    };
    let mut client = HttpClient::connect(address).await.context("no metrics")?;
    let answer = client
        .exchange(&request("GET", "/metrics", None, ""))
        .await?;
    Ok(sum_in(&String::from_utf8_lossy(answer.body), name))
}

fn sum_in(text: &str, name: &str) -> Option<f64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let labelled = rest.starts_with('{') || rest.starts_with(' ');
        let value = rest.rsplit_once(' ').filter(|_| labelled)?.1;
        value.parse::<f64>().ok()
    });
    values.reduce(|one, other| one + other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_summed_over_its_labels() {
        let text = "# TYPE a counter\na{b=\"1\"} 2\na{b=\"2\"} 3.5\nab 7\nc 1\n";
        assert_eq!(sum_in(text, "a"), Some(5.5));
        assert_eq!(sum_in(text, "c"), Some(1.0));
        assert_eq!(sum_in(text, "d"), None);
    }
}
