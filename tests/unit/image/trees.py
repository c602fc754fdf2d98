"""trees.py - a directory with every feature that an image may have, and canon.h's stream written a second time"""
import os
import stat
import struct

from archives import END, header, pad, pax

# VFS_CAP_REVISION_2, effective, cap_net_raw (capabilities(7), "File capabilities")
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)


def put(path, data=b"", mode=0o644, uid=0, gid=0, ns=1234567890123456789):
    with open(path, "wb") as f:
        f.write(data)
    os.chown(path, uid, gid)
    os.chmod(path, mode)
    os.utime(path, ns=(ns, ns))


def acl(*entries):
    """posix_acl_xattr.h: version 2, then tag, permissions, id."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *x) for x in entries)


def good_tree(top, plain=False):
    """plain: what even an ustar archive keeps."""
    os.makedirs(top)
    sub = top + "/dir"
    os.mkdir(sub)
    for mode in (0, 0o400, 0o755, 0o777, 0o4755, 0o2755, 0o6711, 0o1777):
        put("%s/mode-%o" % (sub, mode), b"m", mode, 1000, 1001, 1000000000 * 10 ** 9)
    put(top + "/empty", ns=10 ** 18)
    put(top + "/large", bytes(range(256)) * 5000, ns=10 ** 18)
    os.link(top + "/large", sub + "/hard")
    os.link(top + "/large", top + "/zz-hard")
    for name, to in (("rel", "dir/mode-755"), ("abs", "/etc/passwd"), ("dangling", "../../nowhere")):
        os.symlink(to, top + "/" + name)
    os.lchown(top + "/rel", 5, 6)
    os.link(top + "/rel", top + "/rel-hard", follow_symlinks=False)
    os.mkfifo(top + "/pipe", 0o620)
    os.mknod(top + "/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(top + "/block", stat.S_IFBLK | 0o660, os.makedev(259, 70000))
    os.mkdir(top + "/setgid")
    os.chown(top + "/setgid", 0, 77)
    os.chmod(top + "/setgid", 0o2770)
    put(top + "/setgid/child", b"c", ns=10 ** 18)
    if not plain:
        rich(top)
    for path in ("rel", "abs", "dangling", "pipe", "null", "block", "setgid", "dir", ""):
        ns = 946684800 * 10 ** 9 if plain else 946684800123456789
        os.utime(top + "/" + path, ns=(ns, ns), follow_symlinks=False)


def rich(top):
    put(top + "/owner", b"o", 0o600, 3000000000, 4000000000)
    put(top + "/old", b"o", ns=-86400 * 10 ** 9)
    put(os.fsencode(top) + b"/\xff\xfe not utf-8\n", b"n")
    put(top + "/\u00e4\u00f6\u00fc", b"u")
    long = top + "/" + "/".join(["n" * 250] * 6)
    os.makedirs(long)
    put(long + "/" + "f" * 255, b"long")
    os.symlink("t" * 1500, top + "/long-link")
    with open(top + "/sparse", "wb") as f:
        f.seek(3 << 20)
        f.write(b"in the middle")
        f.truncate(9 << 20)
    put(top + "/attr", b"a")
    os.setxattr(top + "/attr", "user.mine", b"\0\1binary\n=")
    os.setxattr(top + "/attr", "security.capability", CAPABILITY)
    os.setxattr(top + "/dir", "user.dir", b"d")
    os.setxattr(top + "/abs", "trusted.link", b"l", follow_symlinks=False)


def with_acls(top):
    os.setxattr(top + "/dir", "system.posix_acl_default", acl(
        (1, 7, 0xffffffff), (2, 7, 1000), (4, 5, 0xffffffff), (16, 7, 0xffffffff), (32, 0, 0xffffffff)))
    os.setxattr(top + "/attr", "system.posix_acl_access", acl(
        (1, 6, 0xffffffff), (2, 4, 1000), (4, 4, 0xffffffff), (16, 4, 0xffffffff), (32, 4, 0xffffffff)))


def canonical(top):
    """The stream of src/files/canon.h, from its description."""
    out, first = [], {}

    def names(path):
        yield path
        full = os.path.join(os.fsencode(top), path)
        if stat.S_ISDIR(os.lstat(full).st_mode):
            for n in sorted(os.listdir(full)):
                yield from names(os.path.join(path, n))

    for path in names(b""):
        out.append(canonical_entry(os.path.join(os.fsencode(top), path), path, first))
    return b"".join(out) + END


def canonical_entry(full, path, first):
    st = os.lstat(full)
    kind = stat.S_IFMT(st.st_mode)
    seen = path if kind == stat.S_IFDIR or st.st_nlink == 1 else first.setdefault(st.st_ino, path)
    hard = seen != path
    type = b"1" if hard else {stat.S_IFREG: b"0", stat.S_IFLNK: b"2", stat.S_IFCHR: b"3", stat.S_IFBLK: b"4",
                              stat.S_IFDIR: b"5", stat.S_IFIFO: b"6"}[kind]
    name = (path or b".") + (b"/" if type == b"5" else b"")
    link = seen if hard else os.readlink(full) if type == b"2" else b""
    size = st.st_size if type == b"0" else 0
    seconds, ns = divmod(st.st_mtime_ns, 10 ** 9)
    plain_time = ns == 0 and 0 <= seconds < 1 << 33
    records = [(b"path", name)] if len(name) > 100 else []
    records += [(b"linkpath", link)] if len(link) > 100 else []
    records += [(k, b"%d" % v) for k, v in ((b"uid", st.st_uid), (b"gid", st.st_gid)) if v > 0o7777777]
    if not plain_time:
        sign, whole = (b"-", -st.st_mtime_ns) if st.st_mtime_ns < 0 else (b"", st.st_mtime_ns)
        text = b"%s%d.%09d" % (sign, whole // 10 ** 9, whole % 10 ** 9)
        records.append((b"mtime", text.rstrip(b"0").rstrip(b".")))
    if not hard:
        records += [(b"SCHILY.xattr." + x.encode(), os.getxattr(full, x, follow_symlinks=False))
                    for x in sorted(os.listxattr(full, follow_symlinks=False))]
    extended = pax(records, name=b"PaxHeaders/ketch") if records else b""
    device = type in b"34"
    head = header(name, type=type, size=size, mode=st.st_mode & 0o7777, link=link,
                  uid=st.st_uid if st.st_uid <= 0o7777777 else 0, gid=st.st_gid if st.st_gid <= 0o7777777 else 0,
                  mtime=seconds if plain_time else 0, major=os.major(st.st_rdev) if device else 0,
                  minor=os.minor(st.st_rdev) if device else 0)
    content = b""
    if type == b"0":
        with open(full, "rb") as f:
            content = pad(f.read())
    return extended + head + content
