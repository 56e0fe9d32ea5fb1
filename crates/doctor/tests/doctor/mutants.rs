//! Templates that are changed at random: whatever they say, they are read or refused, and the doctor does not crash.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use spotdrain_doctor::examine;
use spotdrain_doctor::template::{Templates, read};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What takes the place of a value.
const VALUES: [&str; 24] = [
    "",
    "~",
    "-1",
    "0",
    "4294967296",
    "99999999999999999999",
    "1e400",
    "true",
    "[]",
    "{}",
    "[[[[]]]]",
    "!Ref Nobody",
    "!Ref Service",
    "!GetAtt Service.Name",
    "!GetAtt [Cluster]",
    "!Sub \"${Service.Name}${Cluster}\"",
    "!If [ByQueue, 1]",
    "!FindInMap [A, !Ref AWS::Region, B]",
    "!Unknown { a: [1, { b: c }] }",
    "{ Fn::Transform: { Name: AWS::Include } }",
    "{ Fn::ForEach::A: [A, [b, c], { \"${A}\": 1 }] }",
    "!Select [7, !Split [\",\", a]]",
    "\"*\"",
    "\"🚀\\u0000\"",
];

/// A small generator of pseudo-random numbers (xorshift), so that a failure can be repeated.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let cases = std::fs::read_dir(format!("{ROOT}/tests/doctor/cases")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = cases.filter(|path| path.extension().is_some_and(|own| own != "note")).collect();
    files.push(format!("{ROOT}/tests/doctor/fixtures/example.yaml").into());
    files.push(format!("{ROOT}/../../deploy/example/template.yaml").into());
    files.sort();
    files.into_iter().map(|file| (file.clone(), std::fs::read_to_string(file).unwrap())).collect()
}

fn mutated(text: &str, random: &mut Random) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=random.below(3) {
        let (at, other) = (random.below(lines.len()), random.below(lines.len()));
        let value = VALUES[random.below(VALUES.len())];
        match random.below(7) {
            0 => _ = lines.remove(at),
            1 => lines.insert(at, lines[other].clone()),
            2 => lines.swap(at, other),
            3 => lines.truncate(at + 1),
            4 => lines[at].insert(random.below(1), ['{', '[', '"', ':', ' ', '&', '*'][random.below(7)]),
            _ => {
                if let Some((key, _)) = lines[at].split_once(": ") {
                    lines[at] = format!("{key}: {value}");
                }
            }
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }
    lines.join("\n")
}

/// Returns how many mutants were read.
fn try_mutants(count: usize, seed: u64) -> usize {
    let (sources, mut random) = (sources(), Random(seed));
    let try_one = |number: usize| {
        let (file, text) = &sources[number % sources.len()];
        let text = mutated(text, &mut random);
        let load = |path: &Path| if path == file { Ok(text.clone()) } else { std::fs::read_to_string(path) };
        let read = read(&Templates::of(file, BTreeMap::new()), &load);
        read.map(|deployment| examine(&deployment)).is_ok()
    };
    (0..count).map(try_one).filter(|was_read| *was_read).count()
}

#[test]
fn mutated_templates_do_not_crash_the_doctor() {
    let read = try_mutants(500, 0x5eed);
    assert!((100..500).contains(&read), "{read} of 500 were read: some should be, and some refused");
}

#[test]
#[ignore = "takes a minute in a debug build"]
fn twenty_thousand_mutated_templates_do_not_crash_the_doctor() {
    let read = try_mutants(20_000, 0xd0c7);
    println!("{read} of 20000 mutants were read, the others refused");
    assert!((4_000..20_000).contains(&read), "{read}");
}
