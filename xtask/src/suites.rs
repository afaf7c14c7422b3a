//! `cargo xtask test`: every check and test of the project, and what came of each.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::run::{self, cargo, npm, run, seconds};
use crate::{api, fuzz, mutants, needs, serve, tidy, web};

/// At how many points what was not synced is lost.
const LOST_WRITES: &str = "500";
/// How many schedules of each kind the simulator runs.
const SCHEDULES: &str = "10000";
/// How often the server is killed unless the person says otherwise.
const CRASH_ROUNDS: &str = "50";

/// Everything. One release build serves the tests, the browser and the harness.
pub fn test() -> Result<()> {
    let mut suites = Suites::default();
    suites.run("format", || run(&mut cargo(["fmt", "--all", "--check"])));
    suites.run("tidy", tidy::tidy);

    let node = needs::node();
    let has_web = suites.needs(&["web build", "web codegen", "web lint", "web tests"], node);
    let web_built = has_web && suites.run("web build", serve::build_web_and_dependencies);
    if has_web {
        suites.run("web codegen", web::generated_is_fresh);
        suites.run("web lint", || run(&mut npm(["run", "lint"])));
        suites.run("web tests", || run(&mut npm(["test"])));
    }

    let all = ["build", "--release", "--workspace", "--all-targets"];
    let built = suites.run("build", || run(&mut cargo(all)));
    let lints = ["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"];
    suites.run("clippy", || run(&mut cargo(lints)));
    suites.run("tests", rust_tests);
    suites.run("cedar", cedar);
    suites.run("doc tests", || run(&mut cargo(["test", "--release", "--workspace", "--doc"])));

    match needs::cxx() {
        Ok(()) => drop(suites.run("fuzz", || fuzz::fuzz(&[]))),
        Err(missing) => suites.skip(&["fuzz"], &format!("{missing:#}")),
    }

    if !built {
        let all = ["api", "simulator", "defects", "browser", "crash", "full disk", "lost writes"];
        suites.skip(&all, "the program did not build");
    } else {
        match needs::python() {
            Ok(()) => drop(suites.run("api", api::api)),
            Err(missing) => suites.skip(&["api"], &format!("{missing:#}")),
        }
        suites.run("simulator", || sim(&["--count".to_owned(), SCHEDULES.to_owned()]));
        suites.run("defects", || mutants::mutants(&[]));
        suites.run("crash", || harness(&["crash", "--rounds", CRASH_ROUNDS]));
        suites.run("full disk", || harness(&["full-disk"]));
        suites.run("lost writes", || harness(&["lost-writes", "--points", LOST_WRITES]));
        match needs::chromium() {
            Ok(chromium) if web_built => drop(suites.run("browser", || browser(&chromium, &[]))),
            Ok(_) => suites.skip(&["browser"], "the web app did not build"),
            Err(missing) => suites.skip(&["browser"], &format!("{missing:#}")),
        }
    }
    suites.finish()
}

/// The web app's part of [`test`].
pub fn web() -> Result<()> {
    needs::node()?;
    let mut suites = Suites::default();
    suites.run("web packages", web::packages);
    suites.run("web codegen", web::generated_is_fresh);
    suites.run("web lint", || run(&mut npm(["run", "lint"])));
    suites.run("web tests", || run(&mut npm(["test"])));
    suites.run("web build", web::build);
    suites.finish()
}

/// The browser tests, or those in the named files of `web/e2e`.
pub fn e2e(files: &[String]) -> Result<()> {
    needs::node()?;
    let chromium = needs::chromium()?;
    serve::build_web_and_dependencies()?;
    build_programs()?;
    browser(&chromium, files)
}

/// Calls made out of the API's own document.
pub fn api() -> Result<()> {
    needs::python()?;
    build_programs()?;
    api::api()
}

/// The crash rounds, with the harness's own arguments.
pub fn crash(args: &[String]) -> Result<()> {
    build_programs()?;
    let mut words = vec!["crash"];
    words.extend(args.iter().map(String::as_str));
    harness(&words)
}

/// Power failures at many points of a recorded run, with the harness's own arguments.
pub fn lost_writes(args: &[String]) -> Result<()> {
    build_programs()?;
    let mut words = vec!["lost-writes"];
    words.extend(args.iter().map(String::as_str));
    harness(&words)
}

/// The simulator, with its own arguments.
pub fn sim(args: &[String]) -> Result<()> {
    run(&mut cargo(["build", "--release", "--workspace", "--bin", "weft-sim"]))?;
    run(Command::new(run::release_program("weft-sim")?).current_dir(run::root()).args(args))
}

/// Compares the rules of access with Cedar policies that say the same; a workspace of its own, whose crates nobody else builds.
pub fn cedar() -> Result<()> {
    let manifest = ["--manifest-path", "cedar/Cargo.toml", "--target-dir", "target/cedar"];
    run(cargo(["test", "--release", "--locked"]).args(manifest))
}

/// Fuzzing, with its own arguments.
pub fn fuzz(args: &[String]) -> Result<()> {
    needs::cxx()?;
    fuzz::fuzz(args)
}

/// Measures the release server beside others, with the bench's own arguments.
pub fn bench(args: &[String]) -> Result<()> {
    let bins = ["build", "--release", "--workspace", "--bin", "weft", "--bin", "weft-bench"];
    run(&mut cargo(bins))?;
    web::peers();
    let program = run::release_program("weft-bench")?;
    run(Command::new(program).current_dir(run::root()).arg("run").args(args))
}

fn build_programs() -> Result<()> {
    let mut build = cargo(["build", "--release", "--workspace", "--lib"]);
    run(build.args(["--bin", "weft", "--bin", "weft-harness", "--bin", "weft-replica"]))
}

fn rust_tests() -> Result<()> {
    if needs::has_nextest() {
        return run(&mut cargo(["nextest", "run", "--release", "--workspace"]));
    }
    run(&mut cargo(["test", "--release", "--workspace", "--lib", "--bins", "--tests"]))
}

fn harness(args: &[&str]) -> Result<()> {
    run(Command::new(run::release_program("weft-harness")?).current_dir(run::root()).args(args))
}

fn browser(chromium: &Path, files: &[String]) -> Result<()> {
    let mut tests: Vec<String> = files.to_vec();
    if tests.is_empty() {
        for entry in std::fs::read_dir(run::web_dir().join("e2e"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".test.mjs") {
                tests.push(format!("e2e/{name}"));
            }
        }
        tests.sort();
    }
    if tests.is_empty() {
        bail!("web/e2e holds no tests");
    }
    let mut node = Command::new("node");
    node.current_dir(run::web_dir())
        .args(["--test", "--test-concurrency=1", "--test-timeout=600000", "--test-reporter=spec"])
        .args(tests)
        .env("CHROMIUM", chromium)
        .env("WEFT_PROGRAM", run::release_program("weft")?)
        .env("WEFT_HARNESS", run::release_program("weft-harness")?)
        .env("WEFT_REPLICA", run::release_program("weft-replica")?);
    run(&mut node)
}

enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// What was run, how long it took and what came of it.
#[derive(Default)]
struct Suites {
    rows: Vec<(&'static str, Duration, Outcome)>,
}

impl Suites {
    /// Runs one suite to its end; true if it passed. A failure does not stop the others.
    fn run(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> bool {
        println!("\n== {name}");
        let start = Instant::now();
        let outcome = match work() {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                println!("{name} failed: {error:#}");
                Outcome::Failed(first_line(&format!("{error:#}")))
            }
        };
        let passed = matches!(outcome, Outcome::Passed);
        self.rows.push((name, start.elapsed(), outcome));
        passed
    }

    /// True if the need is met; otherwise the suites that have it are skipped.
    fn needs(&mut self, names: &[&'static str], need: Result<()>) -> bool {
        if let Err(missing) = &need {
            self.skip(names, &format!("{missing:#}"));
        }
        need.is_ok()
    }

    fn skip(&mut self, names: &[&'static str], why: &str) {
        for name in names {
            println!("\n== {name}\nskipped: {why}");
            self.rows.push((name, Duration::ZERO, Outcome::Skipped(first_line(why))));
        }
    }

    /// The table and the count. Under `CI=true` what was skipped has failed.
    fn finish(self) -> Result<()> {
        let strict = std::env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1");
        let (mut passed, mut failed) = (0, 0);
        println!("\n{:<14}{:>10}  result", "suite", "time");
        for (name, time, outcome) in &self.rows {
            let result = match outcome {
                Outcome::Passed => {
                    passed += 1;
                    "passed".to_owned()
                }
                Outcome::Failed(why) => {
                    failed += 1;
                    format!("FAILED: {why}")
                }
                Outcome::Skipped(why) => {
                    failed += usize::from(strict);
                    format!("skipped: {why}")
                }
            };
            println!("{name:<14}{:>10}  {result}", seconds(*time));
        }
        let total: Duration = self.rows.iter().map(|(_, time, _)| *time).sum();
        println!("{:<14}{:>10}\n", "all", seconds(total));
        println!("{passed} passed, {failed} failed");
        if failed > 0 {
            std::process::exit(1);
        }
        Ok(())
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
