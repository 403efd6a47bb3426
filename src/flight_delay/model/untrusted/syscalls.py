"""The system calls that computing with a model never needs, with their numbers on each machine."""

from __future__ import annotations

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""How the kernel names the machines to a filter (AUDIT_ARCH_*)."""
NEWEST = 462
"""The last call that the table was made in the knowledge of."""

# Name, number on x86_64, number on aarch64; "-" where a machine has none.
_NUMBERS = """
clone 56 220  clone3 435 435  open 2 -  openat 257 56  openat2 437 437
prctl 157 167  prlimit64 302 261  tgkill 234 131  seccomp 317 277
"""
_REFUSED = """
socket 41 198  socketpair 53 199  connect 42 203  bind 49 200  listen 50 201  accept 43 202  accept4 288 242
sendto 44 206  sendmsg 46 211  sendmmsg 307 269

execve 59 221  execveat 322 281  fork 57 -  vfork 58 -  setsid 112 157  setpgid 109 154
kill 62 129  tkill 200 130  rt_sigqueueinfo 129 138  rt_tgsigqueueinfo 297 240
pidfd_open 434 434  pidfd_getfd 438 438  pidfd_send_signal 424 424  ptrace 101 117  kcmp 312 272
process_vm_readv 310 270  process_vm_writev 311 271  process_madvise 440 440  process_mrelease 448 448
setpriority 141 140  ioprio_set 251 30  setrlimit 160 164  migrate_pages 256 238  move_pages 279 239
sched_setaffinity 203 122  sched_setattr 314 274  sched_setparam 142 118  sched_setscheduler 144 119

creat 85 -  truncate 76 45  ftruncate 77 46  fallocate 285 47  link 86 -  linkat 265 37  symlink 88 -  symlinkat 266 36
unlink 87 -  unlinkat 263 35  rename 82 -  renameat 264 38  renameat2 316 276  mkdir 83 -  mkdirat 258 34  rmdir 84 -
mknod 133 -  mknodat 259 33  chmod 90 -  fchmod 91 52  fchmodat 268 53  fchmodat2 452 452
chown 92 -  fchown 93 55  lchown 94 -  fchownat 260 54  utime 132 -  utimes 235 -  futimesat 261 -  utimensat 280 88
setxattr 188 5  lsetxattr 189 6  fsetxattr 190 7  removexattr 197 14  lremovexattr 198 15  fremovexattr 199 16
name_to_handle_at 303 264  open_by_handle_at 304 265  memfd_create 319 279  memfd_secret 447 447
inotify_init 253 -  inotify_init1 294 26  fanotify_init 300 262

mount 165 40  umount2 166 39  mount_setattr 442 442  move_mount 429 429  open_tree 428 428  fsopen 430 430
fsconfig 431 431  fsmount 432 432  fspick 433 433  pivot_root 155 41  chroot 161 51  unshare 272 97  setns 308 268
quotactl 179 60  quotactl_fd 443 443  acct 163 89  swapon 167 224  swapoff 168 225  reboot 169 142
kexec_load 246 104  kexec_file_load 320 294  init_module 175 105  finit_module 313 273  delete_module 176 106
sethostname 170 161  setdomainname 171 162  settimeofday 164 170  clock_settime 227 112  adjtimex 159 171
clock_adjtime 305 266  syslog 103 116  personality 135 92  iopl 172 -  ioperm 173 -  modify_ldt 154 -

bpf 321 280  perf_event_open 298 241  userfaultfd 323 282  vmsplice 278 75  lookup_dcookie 212 18
io_uring_setup 425 425  io_uring_enter 426 426  io_uring_register 427 427
add_key 248 217  request_key 249 218  keyctl 250 219

shmget 29 194  shmat 30 196  shmctl 31 195  semget 64 190  semop 65 193  semctl 66 191  semtimedop 220 192
msgget 68 186  msgsnd 69 189  msgrcv 70 188  msgctl 71 187  mq_open 240 180  mq_unlink 241 181
"""


def numbers(machine: str) -> dict[str, int]:
    """Return the calls that are looked at more closely, by name, as a machine numbers them."""
    return _column(_NUMBERS, machine)


def refused(machine: str) -> dict[str, int]:
    """Return the calls that are refused whatever their arguments, by name, as a machine numbers them."""
    return _column(_REFUSED, machine)


def _column(table: str, machine: str) -> dict[str, int]:
    words = table.split()
    own = words[1 + list(MACHINES).index(machine) :: 3]
    return {name: int(number) for name, number in zip(words[::3], own, strict=True) if number != "-"}
