//! What the process may do once its arguments are read: decoders of files from outside run in it, and a flaw of theirs must not reach
//! further than the files that are written anyway.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use super::exit;
use super::output::tell;
use crate::output::PublishError;

/// Calls that no part of the program makes, and by which a decoder that was taken over would get away.
const REFUSED: [libc::c_long; 20] = [
    // Other machines and other processes' sockets.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_io_uring_setup,
    // Other programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    // The kernel, and what is mounted.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_mount,
    libc::SYS_unshare,
    libc::SYS_setns,
];

/// From here on this thread, and all that it starts, writes to what lies at `writable` (files, and folders with all in them) alone, opens no
/// socket and starts no program. As far as the kernel can: where it cannot, the rest holds, and results are the same.
pub fn confine(writable: &[&Path]) {
    // What is not there is not written to either: whoever tries tells so by name.
    let places = writable.iter().filter_map(|path| PathFd::new(path).ok()).collect();
    // SECURITY.md says that this is a second line: a kernel without it is no reason to stop.
    let _ = write_beneath(places);
    if let Some(filter) = refusing(&REFUSED) {
        let _ = seccompiler::apply_filter(&filter);
    }
}

/// Landlock: writing only beneath `places`, reading anywhere, running nothing, no TCP, no signals to other processes.
fn write_beneath(places: Vec<PathFd>) -> Result<(), RulesetError> {
    // Before the second version no file could be renamed from one folder into another, which publishing does: then rather not at all.
    let needed = AccessFs::from_write(ABI::V2) | AccessFs::Execute;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(needed)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_write(ABI::V4))?
        .handle_access(AccessNet::from_all(ABI::V4))?
        .scope(Scope::from_all(ABI::V6))?
        .create()?
        .set_compatibility(CompatLevel::BestEffort);
    for place in places {
        rules = rules.add_rule(PathBeneath::new(place, AccessFs::from_write(ABI::V4)))?;
    }
    rules.restrict_self().map(drop)
}

/// The folder `out`, made when absent: what is confined to it cannot make it any more. Where that fails it is told, and the exit code returned.
pub fn made(out: &Path) -> Result<&Path, u8> {
    match std::fs::create_dir_all(out) {
        Ok(()) => Ok(out),
        Err(source) => {
            let path = out.to_owned();
            tell(&format!("error: {}", PublishError::Write { path, source }));
            Err(exit::PARTLY)
        }
    }
}

/// The folder that the file at `path` lies in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// A filter by which each of `calls` fails with EPERM and every other call is let through.
fn refusing(calls: &[libc::c_long]) -> Option<BpfProgram> {
    let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
    let denied = SeccompAction::Errno(libc::EPERM as u32);
    let arch = std::env::consts::ARCH.try_into().ok()?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, denied, arch).ok()?;
    filter.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::{TcpStream, UdpSocket};
    use std::process::Command;

    use super::*;

    #[test]
    fn a_confined_thread_opens_no_socket_and_reads_what_it_likes() {
        std::thread::spawn(|| {
            assert!(UdpSocket::bind("127.0.0.1:0").is_ok());
            confine(&[]);
            let denied = UdpSocket::bind("127.0.0.1:0").unwrap_err();
            assert_eq!(denied.kind(), std::io::ErrorKind::PermissionDenied, "{denied}");
            assert!(fs::read(file!()).is_ok());
        })
        .join()
        .unwrap();
    }

    #[test]
    fn a_confined_thread_writes_beneath_its_folder_alone() {
        if std::thread::spawn(|| write_beneath(Vec::new()))
            .join()
            .unwrap()
            .is_err()
        {
            eprintln!("skipped: this kernel has no Landlock of the second version");
            return;
        }
        let [inside, outside] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        fs::write(outside.path().join("old"), "kept").unwrap();
        let [within, beyond] = [inside.path().to_owned(), outside.path().to_owned()];
        // Both limits belong to the thread: that of the tests stays free.
        std::thread::spawn(move || {
            confine(&[&within, &within.join("absent")]);
            let refused =
                |error: std::io::Error| assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied, "{error}");
            refused(TcpStream::connect("127.0.0.1:9").unwrap_err());
            refused(Command::new("/bin/true").status().unwrap_err());
            refused(fs::write(beyond.join("new"), "x").unwrap_err());
            refused(fs::write(beyond.join("old"), "x").unwrap_err());
            refused(fs::remove_file(beyond.join("old")).unwrap_err());
            refused(fs::rename(beyond.join("old"), within.join("old")).unwrap_err());
            assert_eq!(fs::read_to_string(beyond.join("old")).unwrap(), "kept");
            // What a run does: a folder aside, a file in it, both into their places.
            fs::create_dir(within.join("aside")).unwrap();
            fs::write(within.join("aside/a"), "a").unwrap();
            fs::rename(within.join("aside/a"), within.join("a")).unwrap();
            fs::remove_dir(within.join("aside")).unwrap();
            // Threads that it starts are confined as it is.
            let started = std::thread::spawn(move || fs::write(beyond.join("new"), "x"));
            refused(started.join().unwrap().unwrap_err());
        })
        .join()
        .unwrap();
        assert!(!outside.path().join("new").exists() && inside.path().join("a").exists());
    }
}
