//! Which MD5 digest does SQS give with a body, for its callers to compare?

use std::fmt::Write;

use md5::{Digest, Md5};

/// In lower-case hex.
pub(crate) fn md5_hex(text: &str) -> String {
    Md5::digest(text).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        write!(hex, "{byte:02x}").ok();
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1321, A.5.
    #[test]
    fn the_digests_are_those_of_the_rfc() {
        assert_eq!(md5_hex(""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(md5_hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
    }
}
