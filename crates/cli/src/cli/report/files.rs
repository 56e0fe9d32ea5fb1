//! Reads log lines from files and standard input, line by line, because a file may not fit into memory.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use spotdrain_core::history::History;

use super::CliError;

/// Adds the lines of all files.
pub(crate) fn read_all(files: &[PathBuf], history: &mut History) -> Result<(), CliError> {
    for file in files {
        let name = name(file);
        let reader = open(file).map_err(|error| CliError::Event(format!("cannot read {name}: {error}")))?;
        read(reader, history).map_err(|error| CliError::Event(format!("cannot read {name}: {error}")))?;
    }
    Ok(())
}

fn is_standard_input(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn name(file: &Path) -> String {
    if is_standard_input(file) { "standard input".to_owned() } else { file.display().to_string() }
}

fn open(file: &Path) -> std::io::Result<Box<dyn BufRead>> {
    Ok(if is_standard_input(file) {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::with_capacity(1 << 16, File::open(file)?))
    })
}

/// A document of several lines, as `aws logs` prints it, begins with a bracket alone on its line. It is read as a whole.
fn read(mut reader: impl BufRead, history: &mut History) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        if matches!(bytes.trim_ascii(), b"{" | b"[") {
            reader.read_to_end(&mut bytes)?;
            history.add_document(&String::from_utf8_lossy(&bytes));
            return Ok(());
        }
        history.add_line(&String::from_utf8_lossy(&bytes));
        bytes.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> u64 {
        let mut history = History::default();
        read(text, &mut history).unwrap();
        history.lines()
    }

    #[test]
    fn lines_and_documents_are_recognised() {
        assert_eq!(lines(b""), 0);
        assert_eq!(lines(b"\n \n"), 0);
        assert_eq!(lines(b"one\ntwo\n\nthree"), 3);
        assert_eq!(lines(b"{\n  \"events\": []\n}\n"), 1);
        assert_eq!(lines(b"{\"a\": 1}\n{\"a\": 2}\n"), 2);
        assert_eq!(lines(b"\xff\xfe\n"), 1, "what is not UTF-8 is a line that is no record");
    }
}
