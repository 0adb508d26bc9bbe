//! What pkg(1) prints of an image.

#![no_main]

use sysadm::fuzzing::System;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sysadm::fuzzing::software(System::Ips, bytes));
