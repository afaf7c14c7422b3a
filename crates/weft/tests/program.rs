//! The program as those who run it see it: what it prints, and how it ends.

#![allow(missing_docs, reason = "tests document themselves by their names")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

fn weft() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weft"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WEFT_")) {
        command.env_remove(name);
    }
    command
}

fn serve(data_dir: &Path) -> Command {
    let mut command = weft();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
    command
}

/// A server that is killed when a test fails.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    /// Waits for the ready line; gives all lines before it, and it.
    fn start(mut command: Command) -> (Self, Vec<String>) {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("weft starts");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut running = Self { child, stdout };
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = running.stdout.read_line(&mut line).expect("weft writes text");
            assert!(read > 0, "weft ended before it was ready");
            lines.push(line.trim_end().to_owned());
            if line.starts_with("Weft is ready on ") {
                return (running, lines);
            }
        }
    }

    /// Tells it to stop; gives its exit code and what else it printed.
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        let told = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(told.expect("kill is there").success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("weft writes text");
        (self.child.wait().expect("weft ends").code(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails if it has ended already, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn ends_with(output: &Output, code: i32, saying: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for words in saying {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    assert_eq!(output.stdout, b"");
}

#[test]
fn it_prints_two_lines_and_stops_when_told() {
    let dir = tempfile::tempdir().unwrap();
    for signal in ["-TERM", "-INT"] {
        let (running, lines) = Running::start(serve(&dir.path().join("data")));
        assert_eq!(lines.len(), 2, "{lines:?}");
        let url = lines[1].strip_prefix("Weft is ready on ").unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        let link = lines[0].strip_prefix("Open this link to set up Weft: ").unwrap();
        assert_eq!(link.strip_prefix(url).map(|rest| rest.len()), Some("/setup#".len() + 43));
        assert_eq!(running.stop(signal), (Some(0), String::new()));
    }
}

#[test]
fn the_data_folder_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("some/data");
    let (running, _) = Running::start(serve(&data));
    running.stop("-TERM");
    assert_eq!(data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn an_administrator_is_made_from_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    let create = |username: &str, password: &str| {
        let mut child = weft()
            .args(["admin", "create", "--username", username, "--data-dir"])
            .arg(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    ends_with(&create("root", ""), 1, &["no password"]);
    ends_with(&create("root", "short\n"), 1, &["password cannot be taken: too_short"]);
    ends_with(&create("root", "correct horse\n"), 0, &["is made"]);
    ends_with(&create("ROOT", "correct horse\n"), 1, &["the user name is taken"]);
    let (running, lines) = Running::start(serve(dir.path()));
    assert_eq!(lines.len(), 1, "no set-up link any more: {lines:?}");
    ends_with(&create("other", "correct horse\n"), 5, &["in use by another weft"]);
    running.stop("-TERM");
}

#[test]
fn people_are_administered_while_no_server_runs() {
    let dir = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input: &str| {
        let mut child = weft()
            .arg("admin")
            .args(arguments)
            .arg("--data-dir")
            .arg(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let create = |name| run(&["create", "--username", name], "correct horse\n");
    for name in ["root", "lin"] {
        ends_with(&create(name), 0, &["is made"]);
    }
    let link = run(&["reset-link", "LIN", "--public-url", "https://weft.example.org"], "");
    let link = String::from_utf8(link.stdout).unwrap();
    assert_eq!(link.trim().strip_prefix("https://weft.example.org/reset#").unwrap().len(), 43);
    ends_with(&run(&["reset-link", "nobody"], ""), 1, &["nobody of that user name"]);
    ends_with(&run(&["make-admin", "lin", "--not"], ""), 0, &["is no administrator"]);
    ends_with(&run(&["make-admin", "root", "--not"], ""), 1, &["there must be an administrator"]);
    ends_with(&run(&["deactivate", "root"], ""), 1, &["there must be an administrator"]);
    ends_with(&run(&["deactivate", "lin"], ""), 0, &["cannot sign in any more"]);
    let people = String::from_utf8(run(&["people"], "").stdout).unwrap();
    let expected = "lin member deactivated - \"lin\"\nroot admin active - \"root\"\n";
    assert_eq!(people, expected);
    ends_with(&run(&["reactivate", "lin"], ""), 0, &["can sign in"]);
    ends_with(&run(&["delete", "lin", "--heir", "lin"], ""), 1, &["somebody else"]);
    ends_with(&run(&["delete", "lin", "--heir", "root"], ""), 0, &["is gone"]);
    ends_with(&run(&["quota", "team", "2G"], ""), 0, &["spaces of teams is 2147483648"]);
    ends_with(&run(&["quota", "personal", "1"], ""), 0, &["people's own spaces is 1"]);
    let gallery = "0".repeat(26);
    ends_with(&run(&["quota", &gallery, "500M"], ""), 0, &["is 524288000"]);
    let usage = run(&["usage"], "");
    let spaces = String::from_utf8(usage.stdout.clone()).unwrap();
    let mut lines = spaces.lines();
    let first = format!("{gallery} gallery used=0 quota=524288000 rooms=0 owner=- \"\"");
    assert_eq!(lines.next(), Some(first.as_str()));
    assert!(lines.any(|line| line.contains("personal used=0 quota=1 rooms=0 owner=root")));
    let defaults = String::from_utf8(usage.stderr).unwrap();
    assert!(defaults.contains("a team's quota is 2147483648, a person's 1"), "{defaults}");
    ends_with(&run(&["quota", &gallery, "default"], ""), 0, &["is the default"]);
    ends_with(&run(&["quota", "personal", "unlimited"], ""), 0, &["is unlimited"]);
    ends_with(&run(&["quota", "team", "default"], ""), 1, &["quota cannot be taken"]);
    ends_with(&run(&["quota", &"1".repeat(26), "1K"], ""), 1, &["not found"]);
    for bad in ["0", "5X", "K", "99999999999T", ""] {
        ends_with(&run(&["quota", "team", bad], ""), 2, &["such as 500M"]);
    }
    ends_with(&run(&["quota", "teams", "1K"], ""), 2, &["the id of a space"]);
    ends_with(&run(&["registration", "open"], ""), 0, &["registration is open"]);
    ends_with(&run(&["registration", "some"], ""), 2, &["none of open, invite, closed"]);
    let (running, _) = Running::start(serve(dir.path()));
    ends_with(&run(&["people"], ""), 5, &["in use by another weft"]);
    running.stop("-TERM");
}

#[test]
fn each_obstacle_has_its_code_and_its_words() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let busy = weft().args(["serve", "--listen", &address, "--data-dir"]).arg(&data).output();
    ends_with(&busy.unwrap(), 3, &[&address, "in use by another program", "--listen"]);

    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let blocked = serve(&file.join("data")).output().unwrap();
    ends_with(&blocked, 4, &["cannot write to the data folder", "--data-dir"]);

    let (running, _) = Running::start(serve(&data));
    ends_with(&serve(&data).output().unwrap(), 5, &["in use by another weft"]);
    running.stop("-TERM");
}

#[test]
fn settings_that_cannot_be_understood_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let with = |arguments: &[&str]| serve(dir.path()).args(arguments).output().unwrap();
    ends_with(&with(&["--registration", "everybody"]), 2, &["none of open, invite, closed"]);
    ends_with(&with(&["--public-url", "example.org"]), 2, &["https://weft.example.org"]);
    ends_with(&with(&["--limit", "nonsense=1"]), 1, &["there is no limit \"nonsense\""]);
    let url = "smtps://weft:hush-hush@mail.example.org";
    let mute = with(&["--smtp-url", url]);
    ends_with(&mute, 2, &["--mail-from", "--public-url"]);
    let rest = ["--mail-from", "weft@example.org", "--public-url", "https://weft.example.org"];
    let bad =
        with(&[&["--smtp-url", "https://weft:hush-hush@mail.example.org"], &rest[..]].concat());
    ends_with(&bad, 1, &["--smtp-url", "smtps://user:password@mail.example.org:465"]);
    for said in [mute, bad] {
        assert!(!String::from_utf8_lossy(&said.stderr).contains("hush-hush"));
    }
    let environment = serve(dir.path()).env("WEFT_LIMIT_ROOMS_LISTED_MAX", "many").output();
    ends_with(&environment.unwrap(), 1, &["rooms_listed_max must be a whole number"]);
}

#[tokio::test]
async fn a_folder_of_a_newer_weft_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (running, _) = Running::start(serve(dir.path()));
    running.stop("-TERM");
    let file = SqliteConnectOptions::new().filename(dir.path().join("meta.db"));
    let mut meta = SqliteConnection::connect_with(&file).await.unwrap();
    sqlx::query("UPDATE schema_version SET version = 99").execute(&mut meta).await.unwrap();
    meta.close().await.unwrap();
    ends_with(&serve(dir.path()).output().unwrap(), 6, &["schema 99", "nothing was changed"]);
}

#[test]
fn what_was_set_aside_is_listed_also_while_the_server_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (running, _) = Running::start(serve(dir.path()));
    let list =
        || weft().args(["admin", "quarantine", "--data-dir"]).arg(dir.path()).output().unwrap();
    ends_with(&list(), 0, &["0 operations are set aside"]);
    let folder = dir.path().join("quarantine");
    std::fs::create_dir(&folder).unwrap();
    let kept = r#"{"at":7,"room":"r","person":"p","why":"panic:\n x","bytes":2,"sha256":"ab"}"#;
    std::fs::write(folder.join("000000000000007-ab.op"), format!("{kept}\n\u{1}\u{2}")).unwrap();
    let listed = list();
    let line = "7 room=r person=p bytes=2 sha256=ab \"panic:\\n x\"\n";
    assert_eq!(String::from_utf8_lossy(&listed.stdout), line);
    running.stop("-TERM");
}
