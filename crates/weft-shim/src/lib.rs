//! A library to preload (`LD_PRELOAD`, Linux): records what a program writes below a folder, and when it
//! syncs it, in the order in which that happens. The program notices nothing.
//!
//! `WEFT_SHIM_ROOT` is the folder, `WEFT_SHIM_LOG` the file that the record goes to. `weft-harness
//! lost-writes` makes folders from it as a power failure might have left them.
//!
//! A record is a row of little-endian fields: kind (u8), time (u64, nanoseconds of the wall clock),
//! number (u64, see below), offset (u64), length of path and of data (u32 each), path, data.
//!
//! | kind | what | offset | data | number |
//! |---|---|---|---|---|
//! | 1 | write | where | what | its own |
//! | 2 | truncate | the new length | | its own |
//! | 3 | sync of a file or folder | | | that of the first record that it may not have covered |
//! | 4 | rename | | the new path | its own |
//! | 5 | unlink | | | its own |
//!
//! Not recorded: memory maps (SQLite maps only what it makes anew after a crash).

use std::{
    ffi::{CStr, OsStr, c_char, c_int, c_void},
    mem::transmute,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock},
};

use libc::{loff_t, mode_t, off_t, size_t, ssize_t};

const WRITE: u8 = 1;
const TRUNCATE: u8 = 2;
const SYNC: u8 = 3;
const RENAME: u8 = 4;
const UNLINK: u8 = 5;

struct Recorder {
    root: PathBuf,
    log: c_int,
    next: Mutex<u64>,
}

/// The recorder, if the environment asks for one.
fn recorder() -> Option<&'static Recorder> {
    static RECORDER: OnceLock<Option<Recorder>> = OnceLock::new();
    RECORDER.get_or_init(Recorder::from_environment).as_ref()
}

impl Recorder {
    fn from_environment() -> Option<Self> {
        let root = PathBuf::from(std::env::var_os("WEFT_SHIM_ROOT")?);
        let log = std::ffi::CString::new(std::env::var_os("WEFT_SHIM_LOG")?.as_bytes()).ok()?;
        let flags = libc::O_CREAT | libc::O_APPEND | libc::O_WRONLY | libc::O_CLOEXEC;
        // SAFETY: the path ends with a zero byte; `openat` as a system call is not replaced below.
        let log = unsafe {
            libc::syscall(libc::SYS_openat, libc::AT_FDCWD, log.as_ptr(), flags, 0o600) as c_int
        };
        (log >= 0).then_some(Self { root, log, next: Mutex::new(1) })
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The path of an open file, if it is below the root.
    fn path_of(&self, fd: c_int) -> Option<PathBuf> {
        self.below(std::fs::read_link(format!("/proc/self/fd/{fd}")).ok()?)
    }

    fn below(&self, path: PathBuf) -> Option<PathBuf> {
        path.starts_with(&self.root).then_some(path)
    }

    fn note(&self, kind: u8, number: u64, offset: u64, path: &Path, data: &[u8]) {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` is there to be written to.
        unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time) };
        let time = time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64;
        let path = path.as_os_str().as_bytes();
        let mut record = vec![kind];
        for field in [time, number, offset] {
            record.extend(field.to_le_bytes());
        }
        for length in [path.len(), data.len()] {
            record.extend((length as u32).to_le_bytes());
        }
        record.extend(path);
        record.extend(data);
        let mut rest = &record[..];
        while !rest.is_empty() {
            // SAFETY: `rest` is readable for its length; `write` as a system call is not replaced.
            let written =
                unsafe { libc::syscall(libc::SYS_write, self.log, rest.as_ptr(), rest.len()) };
            assert!(written > 0, "the record cannot be written");
            rest = &rest[written as usize..];
        }
    }

    /// Does something to a file and notes it, so that records are in the order of what they tell.
    fn done<T: Copy>(&self, act: impl FnOnce() -> T, note: impl FnOnce(&Self, T, u64)) -> T {
        let mut next = self.lock();
        let result = act();
        note(self, result, *next);
        *next += 1;
        result
    }
}

/// The C library's own function of a name.
macro_rules! real {
    ($name:ident($($type:ty),*) -> $result:ty) => {{
        static FOUND: OnceLock<usize> = OnceLock::new();
        let name = concat!(stringify!($name), "\0");
        // SAFETY: the name ends with a zero byte, and the function found has this type.
        unsafe {
            let found = *FOUND.get_or_init(|| {
                libc::dlsym(libc::RTLD_NEXT, name.as_ptr().cast::<c_char>()) as usize
            });
            assert!(found != 0, "the C library has {name}");
            transmute::<usize, unsafe extern "C" fn($($type),*) -> $result>(found)
        }
    }};
}

/// # Safety
/// As `write(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, count: size_t) -> ssize_t {
    let real = real!(write(c_int, *const c_void, size_t) -> ssize_t);
    let Some((recorder, path)) = recorder().and_then(|r| Some((r, r.path_of(fd)?))) else {
        // SAFETY: as the caller promises.
        return unsafe { real(fd, bytes, count) };
    };
    // SAFETY: as the caller promises; what was written was readable.
    recorder.done(
        || unsafe { real(fd, bytes, count) },
        |recorder, written, number| {
            if let Ok(written) = usize::try_from(written) {
                let end = unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) } as u64;
                let data = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), written) };
                recorder.note(WRITE, number, end - written as u64, &path, data);
            }
        },
    )
}

unsafe fn write_at(
    real: unsafe extern "C" fn(c_int, *const c_void, size_t, off_t) -> ssize_t,
    fd: c_int,
    bytes: *const c_void,
    count: size_t,
    offset: off_t,
) -> ssize_t {
    let Some((recorder, path)) = recorder().and_then(|r| Some((r, r.path_of(fd)?))) else {
        // SAFETY: as the caller promises.
        return unsafe { real(fd, bytes, count, offset) };
    };
    recorder.done(
        // SAFETY: as the caller promises.
        || unsafe { real(fd, bytes, count, offset) },
        |recorder, written, number| {
            if let Ok(written) = usize::try_from(written) {
                // SAFETY: what was written was readable.
                let data = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), written) };
                recorder.note(WRITE, number, offset as u64, &path, data);
            }
        },
    )
}

/// # Safety
/// As `pwrite(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite(
    fd: c_int,
    bytes: *const c_void,
    count: size_t,
    offset: off_t,
) -> ssize_t {
    let real = real!(pwrite(c_int, *const c_void, size_t, off_t) -> ssize_t);
    // SAFETY: as the caller promises.
    unsafe { write_at(real, fd, bytes, count, offset) }
}

/// # Safety
/// As `pwrite(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(
    fd: c_int,
    bytes: *const c_void,
    count: size_t,
    offset: off_t,
) -> ssize_t {
    let real = real!(pwrite64(c_int, *const c_void, size_t, off_t) -> ssize_t);
    // SAFETY: as the caller promises.
    unsafe { write_at(real, fd, bytes, count, offset) }
}

unsafe fn cut(
    real: unsafe extern "C" fn(c_int, off_t) -> c_int,
    fd: c_int,
    length: off_t,
) -> c_int {
    let Some((recorder, path)) = recorder().and_then(|r| Some((r, r.path_of(fd)?))) else {
        // SAFETY: as the caller promises.
        return unsafe { real(fd, length) };
    };
    recorder.done(
        // SAFETY: as the caller promises.
        || unsafe { real(fd, length) },
        |recorder, result, number| {
            if result == 0 {
                recorder.note(TRUNCATE, number, length as u64, &path, &[]);
            }
        },
    )
}

/// # Safety
/// As `ftruncate(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate(fd: c_int, length: off_t) -> c_int {
    let real = real!(ftruncate(c_int, off_t) -> c_int);
    // SAFETY: as the caller promises.
    unsafe { cut(real, fd, length) }
}

/// # Safety
/// As `ftruncate(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate64(fd: c_int, length: off_t) -> c_int {
    let real = real!(ftruncate64(c_int, off_t) -> c_int);
    // SAFETY: as the caller promises.
    unsafe { cut(real, fd, length) }
}

unsafe fn sync(real: unsafe extern "C" fn(c_int) -> c_int, fd: c_int) -> c_int {
    let Some((recorder, path)) = recorder().and_then(|r| Some((r, r.path_of(fd)?))) else {
        // SAFETY: as the caller promises.
        return unsafe { real(fd) };
    };
    // What others write while it syncs may be covered or not.
    let covered = *recorder.lock();
    // SAFETY: as the caller promises.
    let result = unsafe { real(fd) };
    if result == 0 {
        let _order = recorder.lock();
        recorder.note(SYNC, covered, 0, &path, &[]);
    }
    result
}

/// # Safety
/// As `fsync(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    let real = real!(fsync(c_int) -> c_int);
    // SAFETY: as the caller promises.
    unsafe { sync(real, fd) }
}

/// # Safety
/// As `fdatasync(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    let real = real!(fdatasync(c_int) -> c_int);
    // SAFETY: as the caller promises.
    unsafe { sync(real, fd) }
}

/// A path given as text, if it is below the root.
///
/// # Safety
/// `path` ends with a zero byte.
unsafe fn given(recorder: &Recorder, path: *const c_char) -> Option<PathBuf> {
    // SAFETY: as the caller promises.
    let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()));
    recorder.below(std::path::absolute(path).ok()?)
}

/// # Safety
/// As `rename(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let real = real!(rename(*const c_char, *const c_char) -> c_int);
    // SAFETY: as the caller promises.
    let paths = recorder().and_then(|r| unsafe { Some((r, given(r, from)?, given(r, to)?)) });
    let Some((recorder, old, new)) = paths else {
        // SAFETY: as the caller promises.
        return unsafe { real(from, to) };
    };
    recorder.done(
        // SAFETY: as the caller promises.
        || unsafe { real(from, to) },
        |recorder, result, number| {
            if result == 0 {
                recorder.note(RENAME, number, 0, &old, new.as_os_str().as_bytes());
            }
        },
    )
}

/// # Safety
/// As `unlink(2)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    let real = real!(unlink(*const c_char) -> c_int);
    // SAFETY: as the caller promises.
    let Some((recorder, gone)) = recorder().and_then(|r| unsafe { Some((r, given(r, path)?)) })
    else {
        // SAFETY: as the caller promises.
        return unsafe { real(path) };
    };
    recorder.done(
        // SAFETY: as the caller promises.
        || unsafe { real(path) },
        |recorder, result, number| {
            if result == 0 {
                recorder.note(UNLINK, number, 0, &gone, &[]);
            }
        },
    )
}

/// Files are opened as always; one that is emptied by that is noted.
///
/// # Safety
/// As `open(2)`. The C library's function takes `mode` as a variable argument, which the calling
/// conventions of Linux pass like any other.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    let real = real!(open64(*const c_char, c_int, mode_t) -> c_int);
    // SAFETY: as the caller promises.
    let fd = unsafe { real(path, flags, mode) };
    opened(fd, flags)
}

/// # Safety
/// As [`open64`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    let real = real!(open(*const c_char, c_int, mode_t) -> c_int);
    // SAFETY: as the caller promises.
    let fd = unsafe { real(path, flags, mode) };
    opened(fd, flags)
}

fn opened(fd: c_int, flags: c_int) -> c_int {
    let empties = libc::O_CREAT | libc::O_TRUNC;
    if fd >= 0
        && flags & empties != 0
        && let Some(recorder) = recorder()
        && let Some(path) = recorder.path_of(fd)
        // SAFETY: `lseek` takes any file.
        && unsafe { libc::lseek(fd, 0, libc::SEEK_END) } == 0
    {
        recorder.done(|| (), |recorder, (), number| recorder.note(TRUNCATE, number, 0, &path, &[]));
    }
    if fd >= 0 && flags & libc::O_CREAT != 0 {
        // SAFETY: `lseek` takes any file; one that was just opened stands at its beginning.
        unsafe { libc::lseek(fd, 0, libc::SEEK_SET) };
    }
    fd
}

/// Not there, so that programs copy by reading and writing.
///
/// # Safety
/// Does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn copy_file_range(
    _from: c_int,
    _at: *mut loff_t,
    _to: c_int,
    _into: *mut loff_t,
    _count: size_t,
    _flags: u32,
) -> ssize_t {
    // SAFETY: the address of this thread's error number.
    unsafe { *libc::__errno_location() = libc::ENOSYS };
    -1
}
