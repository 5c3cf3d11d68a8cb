//! `doctor`: tries everything that is configured and says what is wrong and how to mend it.

use anyhow::anyhow;
use clap::Args;

use super::{Binary, Failure, output};
use crate::app::StartError;
use crate::config::{ConfigErrors, Sources};
use crate::doctor::{self, Details, Examined, Finding, Grade, Report, Treatment};

/// Try everything that is configured; say what is wrong and how to mend it.
///
/// Looks at the configuration, at Postgres (its schema, its room for connections, its clock), at
/// Valkey (its settings, the way of an event through it), at the worker and the stored settings, and
/// at whatever the modules examine, such as a mirror against Postgres. Needs no running server and
/// disturbs none. What depends on something broken is skipped, the rest is looked at.
#[derive(Args, Debug)]
#[command(after_help = "\
Marks:
  ✓ as it should be      ! works, and will hurt sooner or later
  ✗ does not work        - not looked at: it needs something that is wrong or absent
  → how to mend it

Exit codes: 0 no problem (warnings are allowed), 1 a problem, 2 the configuration cannot be used.

Examples:
  doctor
      look, and change nothing
  doctor --repair
      mend what can be mended without asking anybody, such as a mirror that differs; migrations, settings and servers are yours
  doctor --json | jq '.examinations[] | select(.status != \"ok\")'
      for monitoring")]
pub struct DoctorArgs {
    /// Repair what can be repaired, and look at it again.
    #[arg(long)]
    repair: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(binary: &Binary, args: DoctorArgs) -> Result<(), Failure> {
    let config = binary.load_config(&Sources::of_process())?;
    let treatment = match args.repair {
        true => Treatment::Repair,
        false => Treatment::Look,
    };
    let options = binary.options();
    let visit = doctor::visit(&config, &options, treatment);
    let report = visit.await.map_err(unusable)?;
    if args.json {
        output::line(serde_json::to_string_pretty(&report)?)?;
    } else {
        lines(&report).iter().try_for_each(output::line)?;
    }
    match report.graded(Grade::Problem).as_slice() {
        [] => Ok(()),
        problems => Err(anyhow!("something is wrong with: {}", problems.join(", ")).into()),
    }
}

/// No server can be made of this configuration, which is what the exit code 2 says.
fn unusable(error: StartError) -> Failure {
    Failure::Config(ConfigErrors(vec![doctor::with_causes(&error)]))
}

fn lines(report: &Report) -> Vec<String> {
    let names = report.examinations.iter().map(|it| it.name.chars().count());
    let width = names.max().unwrap_or(0);
    let mut lines = Vec::new();
    for it in &report.examinations {
        let (mark, name, text) = (mark(it.finding.grade), it.name, &it.finding.text);
        lines.push(format!("{mark} {name:<width$}  {text}"));
        add_repair(it, &mut lines);
        add_advice(&it.finding, &mut lines);
    }
    lines
}

fn mark(grade: Grade) -> &'static str {
    match grade {
        Grade::Ok => "✓",
        Grade::Skipped => "-",
        Grade::Warning => "!",
        Grade::Problem => "✗",
    }
}

fn add_repair(examined: &Examined, lines: &mut Vec<String>) {
    let Some(repair) = &examined.repair else {
        return;
    };
    let outcome = if repair.done {
        "repaired"
    } else {
        "cannot repair"
    };
    lines.push(format!("    before: {}", repair.before.text));
    add_details(&repair.before.details, lines);
    lines.push(format!("    {outcome}: {}", repair.text));
}

fn add_advice(finding: &Finding, lines: &mut Vec<String>) {
    add_details(&finding.details, lines);
    if let Some(advice) = &finding.advice {
        lines.push(format!("    → {advice}"));
    }
}

fn add_details(details: &Details, lines: &mut Vec<String>) {
    lines.extend(details.shown.iter().map(|it| format!("      {it}")));
    let hidden = details.count - details.shown.len();
    if hidden > 0 {
        lines.push(format!("      … and {hidden} more"));
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::Repair;

    use super::*;

    fn examined(finding: Finding, repair: Option<Repair>) -> Examined {
        Examined {
            name: "mirror",
            looks_at: "everything",
            finding,
            duration_ms: 1,
            repair,
        }
    }

    #[test]
    fn what_is_wrong_is_followed_by_its_details_and_the_advice() {
        let details: Details = (0..25).map(|it| format!("difference {it}")).collect();
        let finding = Finding::problem("differs", "mend it").with_details(details);
        let report = Report {
            status: Grade::Problem,
            examinations: vec![examined(finding, None)],
        };
        let lines = lines(&report);
        assert_eq!(lines[0], "✗ mirror  differs");
        assert_eq!(lines[1], "      difference 0");
        assert_eq!(lines[21], "      … and 5 more");
        assert_eq!(lines[22], "    → mend it");
    }

    #[test]
    fn a_repair_is_told_with_what_was_found_before() {
        let repair = Repair {
            done: true,
            text: "reseeded".into(),
            before: Finding::problem("differs", "mend it"),
        };
        let report = Report {
            status: Grade::Ok,
            examinations: vec![examined(Finding::ok("same"), Some(repair))],
        };
        assert_eq!(
            lines(&report),
            [
                "✓ mirror  same",
                "    before: differs",
                "    repaired: reseeded"
            ]
        );
    }
}
