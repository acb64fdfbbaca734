//! Standard output and standard error: the one place where a result that could not be written is noticed.

use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

use super::{exit, log};
use crate::fault::{Fault, one_line};

/// Why standard output was not written whole: its first error. Nothing is written after it.
static BROKEN: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints one line of a result. What it quotes from inputs can neither begin another line nor drive a terminal.
pub fn print(line: &str) {
    print_text(&one_line(line));
}

/// Prints lines of a result, each as [`print`] does.
pub fn print_lines(lines: &[String]) {
    lines.iter().for_each(|line| print(line));
}

/// Prints text of the program's own, line breaks and colours included.
pub fn print_text(text: &str) {
    wrote(|| writeln!(io::stdout().lock(), "{}", text.trim_end()));
}

/// Prints `value` as one line of JSON.
pub fn print_json(value: &serde_json::Value) {
    print_text(&json_line(value));
}

/// Writes to standard output by `write`, and remembers when that fails.
pub fn wrote(write: impl FnOnce() -> io::Result<()>) {
    let mut broken = BROKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if broken.is_none() {
        *broken = write().err();
    }
}

/// The exit code in place of `code` when standard output was not written whole, which it tells, as the last line of a JSON log does the
/// code. A reader that has gone away (`| head`) is no error.
pub fn finish(code: u8) -> u8 {
    wrote(|| io::stdout().lock().flush());
    let broken = BROKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let code = match &*broken {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => {
            tell(&format!("error: writing standard output: {error}; is the disk full?"));
            if code == exit::DONE { exit::PARTLY } else { code }
        }
        _ => code,
    };
    log::end(code).iter().for_each(tell_json);
    code
}

/// Prints a line that the user should know beside the result: plain, or as JSON where the log is.
pub fn tell(line: &str) {
    match log::message(line) {
        None => write_log(&one_line(line)),
        Some(value) => tell_json(&value),
    }
}

/// Prints `value` as one line of JSON to the log.
pub fn tell_json(value: &serde_json::Value) {
    write_log(&json_line(value));
}

/// One write a line: lines of other processes in the same log do not come between.
fn write_log(line: &str) {
    // There is nowhere left to tell that this fails; run.json has all that matters.
    let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Prints every fault, and says how many there are.
pub fn tell_faults(faults: &[Fault]) {
    faults.iter().for_each(|fault| tell(&format!("error: {fault}")));
    if faults.len() > 1 {
        tell(&format!("{} faults", faults.len()));
    }
}

/// `value` as JSON on one line; what a terminal would obey is escaped, as JSON has it.
fn json_line(value: &serde_json::Value) -> String {
    let mut line = String::new();
    for c in value.to_string().chars() {
        // Inside of strings alone: JSON has no such character elsewhere.
        if one_line(c.encode_utf8(&mut [0; 4])).chars().eq([c]) {
            line.push(c);
        } else {
            let escaped = c
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>();
            line.push_str(&escaped);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_lines_hold_no_character_that_drives_a_terminal() {
        let value = serde_json::json!({"site": "a\u{1b}[2J\n\u{7f}\u{9b}\u{202e}\u{e0041}ü 漢"});
        let line = json_line(&value);
        assert_eq!(line, r#"{"site":"a\u001b[2J\n\u007f\u009b\u202e\udb40\udc41ü 漢"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}
