/* Makes one system call of a program fail, for tests/suite/faults: loaded into it by LD_PRELOAD.
 *
 * Calls are caught where they enter the kernel (a seccomp filter that raises SIGSYS, whose handler does the call itself), so it does not
 * matter by which library they come: glibc's buffers, the Rust standard library, rustix, which makes its calls by itself, SQLite, GDAL.
 *
 * FAULT_ROOT  only calls on files below this folder count; absolute, without symbolic links
 * FAULT_KIND  which calls count: a name of `kinds`, or "any"; "disk": writes beyond FAULT_AT bytes find the disk full
 * FAULT_AT    which of them, from 1; 0: none, they are only counted
 * FAULT_DO    what happens then: a number of errno; below 0: a signal of that number is raised, and the call is made
 * FAULT_LOG   file to which go "fault KIND PATH [PATH]" when it happens, and "count KIND NUMBER" at the end
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* The sixth argument of the handler's own calls, which the filter lets pass: no call of the table has six. */
#define OURS 0x5157a7c4

#if defined(__x86_64__)
#define RESULT(c) ((c)->uc_mcontext.gregs[REG_RAX])
static const int argument_registers[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8};
#define ARGUMENT(c, i) ((c)->uc_mcontext.gregs[argument_registers[i]])
#elif defined(__aarch64__)
#define RESULT(c) ((c)->uc_mcontext.regs[0])
#define ARGUMENT(c, i) ((c)->uc_mcontext.regs[i])
#else
#error "the registers of this processor are not known here"
#endif

/* Where a call names its file: a descriptor, a path, a folder's descriptor and a path; two of them for renames. */
enum names { FD, PATH, AT, PATHS, ATS };
enum { OPEN, READ, WRITE, SYNC, RENAME, UNLINK, MKDIR, STAT, LOCK, MODE, KINDS };
static const char *const kinds[] = {"open", "read", "write", "sync", "rename", "unlink", "mkdir", "stat", "lock", "mode"};
static const struct call {
    int number, kind;
    enum names names;
} calls[] = {
#ifdef SYS_open
    {SYS_open, OPEN, PATH}, {SYS_creat, OPEN, PATH}, {SYS_rename, RENAME, PATHS}, {SYS_link, RENAME, PATHS},
    {SYS_unlink, UNLINK, PATH}, {SYS_rmdir, UNLINK, PATH}, {SYS_mkdir, MKDIR, PATH}, {SYS_stat, STAT, PATH},
    {SYS_lstat, STAT, PATH}, {SYS_access, STAT, PATH}, {SYS_chmod, MODE, PATH},
#endif
#ifdef SYS_renameat
    {SYS_renameat, RENAME, ATS},
#endif
    {SYS_openat, OPEN, AT}, {SYS_openat2, OPEN, AT},
    {SYS_read, READ, FD}, {SYS_pread64, READ, FD}, {SYS_readv, READ, FD}, {SYS_preadv, READ, FD}, {SYS_getdents64, READ, FD},
    {SYS_write, WRITE, FD}, {SYS_pwrite64, WRITE, FD}, {SYS_writev, WRITE, FD}, {SYS_pwritev, WRITE, FD},
    {SYS_ftruncate, WRITE, FD}, {SYS_fallocate, WRITE, FD},
    {SYS_fsync, SYNC, FD}, {SYS_fdatasync, SYNC, FD}, {SYS_syncfs, SYNC, FD},
    {SYS_renameat2, RENAME, ATS}, {SYS_linkat, RENAME, ATS},
    {SYS_unlinkat, UNLINK, AT}, {SYS_mkdirat, MKDIR, AT},
    {SYS_newfstatat, STAT, AT}, {SYS_statx, STAT, AT}, {SYS_fstat, STAT, FD}, {SYS_faccessat, STAT, AT},
    {SYS_flock, LOCK, FD}, {SYS_fchmod, MODE, FD}, {SYS_fchmodat, MODE, AT},
};
#define CALLS (sizeof calls / sizeof *calls)

static char root[4096];
static const char *kind;
static long at, action, seen[KINDS], seen_of_kind, written;
static int log_file = -1;

static long really(long number, const long a[5]) {
    long result = syscall(number, a[0], a[1], a[2], a[3], a[4], (long)OURS);
    return result == -1 ? -errno : result;
}

/* The path behind a descriptor, or of the working folder. */
static void of_descriptor(int fd, char *to, size_t size) {
    char link[64] = "/proc/self/cwd";
    if (fd != AT_FDCWD)
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, to, size - 1);
    to[length > 0 ? length : 0] = 0;
}

static void of_path(int fd, const char *path, char *to, size_t size) {
    if (path && *path == '/') {
        snprintf(to, size, "%s", path);
        return;
    }
    of_descriptor(fd, to, size);
    size_t length = strlen(to);
    if (path && *path && length + 1 < size)
        snprintf(to + length, size - length, "/%s", path);
}

static int is_below_root(const char *path) {
    size_t length = strlen(root);
    return !strncmp(path, root, length) && (path[length] == '/' || path[length] == 0);
}

/* Written past the filter: a line of the log is no call of the program. */
static void note(const char *what, int of_kind, const char *first, const char *second) {
    char line[9000];
    int length = snprintf(line, sizeof line, "%s %s %s %s\n", what, kinds[of_kind], first, second);
    really(SYS_write, (long[]){log_file, (long)line, length, 0, 0});
}

/* The result of the call, which is made, or fails. */
static long answer(const struct call *call, long a[5]) {
    char first[4200], second[4200] = "";
    switch (call->names) {
    case FD: of_descriptor(a[0], first, sizeof first); break;
    case PATH: of_path(AT_FDCWD, (const char *)a[0], first, sizeof first); break;
    case AT: of_path(a[0], (const char *)a[1], first, sizeof first); break;
    case PATHS:
        of_path(AT_FDCWD, (const char *)a[0], first, sizeof first);
        of_path(AT_FDCWD, (const char *)a[1], second, sizeof second);
        break;
    case ATS:
        of_path(a[0], (const char *)a[1], first, sizeof first);
        of_path(a[2], (const char *)a[3], second, sizeof second);
    }
    if (!is_below_root(first))
        return really(call->number, a);
    __atomic_add_fetch(&seen[call->kind], 1, __ATOMIC_RELAXED);
    if (!strcmp(kind, "disk") && (call->number == SYS_write || call->number == SYS_pwrite64)) {
        long left = at - __atomic_load_n(&written, __ATOMIC_RELAXED);
        if (left <= 0 && a[2] > 0) {
            note("fault", call->kind, first, second);
            return -ENOSPC;
        }
        if (a[2] > left)
            a[2] = left;
        long result = really(call->number, a);
        if (result > 0)
            __atomic_add_fetch(&written, result, __ATOMIC_RELAXED);
        return result;
    }
    if (strcmp(kind, "any") && strcmp(kind, kinds[call->kind]))
        return really(call->number, a);
    if (__atomic_add_fetch(&seen_of_kind, 1, __ATOMIC_RELAXED) != at)
        return really(call->number, a);
    note("fault", call->kind, first, second);
    if (action > 0)
        return -action;
    kill(getpid(), -action);
    return really(call->number, a);
}

static void caught(int signal, siginfo_t *info, void *context) {
    (void)signal;
    ucontext_t *registers = context;
    int kept = errno;
    long a[5];
    for (int i = 0; i < 5; i++)
        a[i] = ARGUMENT(registers, i);
    long result = -ENOSYS;
    for (size_t i = 0; i < CALLS; i++)
        if (calls[i].number == info->si_syscall)
            result = answer(&calls[i], a);
    RESULT(registers) = result;
    errno = kept;
}

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value ? value : "";
}

__attribute__((constructor)) static void begin(void) {
    snprintf(root, sizeof root, "%s", setting("FAULT_ROOT"));
    kind = setting("FAULT_KIND");
    at = atol(setting("FAULT_AT"));
    action = atol(setting("FAULT_DO"));
    /* Out of the way: the program's own descriptors have the numbers that they would have. */
    int opened = open(setting("FAULT_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    log_file = fcntl(opened, F_DUPFD_CLOEXEC, 900);
    close(opened);
    struct sigaction action_of_signal = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
    struct sock_filter filter[CALLS + 6];
    size_t n = 0;
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < CALLS; i++)
        filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, CALLS - i, 0);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    /* Both processors are little-endian: the lower half comes first. */
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5]));
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OURS, 0, 1);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    struct sock_fprog program = {.len = n, .filter = filter};
    /* A program that a fault makes hang is a failure, too. */
    alarm(60);
    if (log_file < 0 || sigaction(SIGSYS, &action_of_signal, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        fprintf(stderr, "tests/faults/preload.c cannot catch system calls here: %s\n", strerror(errno));
        _exit(99);
    }
}

__attribute__((destructor)) static void end(void) {
    char number[32];
    for (int i = 0; i < KINDS; i++) {
        snprintf(number, sizeof number, "%ld", seen[i]);
        note("count", i, number, "");
    }
}
