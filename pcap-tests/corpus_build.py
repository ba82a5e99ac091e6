"""Gets the kernel's own XDP programs: Debian's linux-source packages, unpacked and compiled.

Nothing of a kernel tree needs to be configured: programs see the running kernel's types
(vmlinux.h), the UAPI headers of linux-libc-dev under those of the tree's tools/, and the tree's own
bpf_helpers.h with the helper list that its bpf_doc.py writes.
"""
import glob
import os
import re
import subprocess

VERSIONS = ("6.1", "6.12")
FOLDERS = ("samples/bpf", "tools/testing/selftests/bpf/progs")
KEPT = ("samples/bpf", "tools/testing/selftests/bpf", "tools/lib/bpf", "tools/include",
        "tools/arch/x86/include", "scripts/bpf_doc.py")
CLANG = "clang-19"
SHARED_SAMPLE = "xdp_sample.bpf"  # what samples that include its header are linked with
LONGEST_COMPILE_S = 120
# What samples use of the kernel's own headers, which are not for programs of user space.
KERNEL_NAMES = """#include <linux/types.h>
#include <linux/in.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#define AF_INET 2
#define AF_INET6 10
#define __force
#define __packed __attribute__((packed))
#define unlikely(x) __builtin_expect(!!(x), 0)
#define cpu_to_be16(x) __builtin_bswap16(x)
#define cpu_to_be32(x) __builtin_bswap32(x)
#define htonl(x) __builtin_bswap32(x)
#define htons(x) __builtin_bswap16(x)
#define ntohs(x) __builtin_bswap16(x)
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
""" + "".join(f"typedef __{t} {t};\n" for t in ("u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64")) + """
struct vlan_hdr {
	__be16 h_vlan_TCI, h_vlan_encapsulated_proto;
};
"""


class NotHere(Exception):
    """Something that the corpus is made from is missing; the text says what."""


def package(version, cache):
    """The .deb of the kernel's source, fetched with apt if it is not there yet."""
    name = f"linux-source-{version}"
    pattern = os.path.join(cache, f"{name}_*.deb")
    if not glob.glob(pattern):
        done = subprocess.run(["apt-get", "download", name], cwd=cache, capture_output=True,
                              text=True, check=False)
        if done.returncode or not glob.glob(pattern):
            raise NotHere(f"apt-get cannot download {name}: {done.stderr.strip()}")
    return max(glob.glob(pattern), key=os.path.getmtime)


def unpack(version, cache):
    """Unpacks what is KEPT of a kernel's source once; returns the tree."""
    tree = os.path.join(cache, f"linux-source-{version}")
    done = os.path.join(cache, f"{version}.unpacked")
    if os.path.exists(done):
        return tree
    deb = package(version, cache)
    members = [f"linux-source-{version}/{folder}" for folder in KEPT]
    steps = (["dpkg-deb", "--fsys-tarfile", deb],
             ["tar", "xO", "--wildcards", "./usr/src/linux-source-*.tar.xz"],
             ["xz", "-dc"],
             ["tar", "x", "-C", cache, *members])
    running, before = [], None
    for step in steps:
        last = step is steps[-1]
        process = subprocess.Popen(step, stdin=before, stdout=None if last else subprocess.PIPE)
        if before:
            before.close()
        before = process.stdout
        running.append(process)
    if [process.wait() for process in running][-1]:
        raise NotHere(f"{deb}: cannot be unpacked")
    with open(done, "w", encoding="utf-8") as file:
        file.write(os.path.basename(deb) + "\n")
    return tree


def write_output(command, path):
    """Runs @command, its output to @path; a half-written file never has that name."""
    if os.path.exists(path):
        return
    with open(path + ".new", "wb") as file:
        subprocess.run(command, stdout=file, check=True)
    os.rename(path + ".new", path)


def headers(version, tree, cache):
    """Makes what a build of that tree would generate; returns clang's include options."""
    made = os.path.join(cache, f"include-{version}")
    os.makedirs(os.path.join(made, "bpf"), exist_ok=True)
    for path in glob.glob(os.path.join(tree, "tools/lib/bpf/*.h")):
        link = os.path.join(made, "bpf", os.path.basename(path))
        if not os.path.lexists(link):
            os.symlink(os.path.abspath(path), link)
    # Samples say <uapi/linux/…>: from tools/, or, where it is not there, from the system.
    for folder, target in (("", os.path.join(tree, "tools/include/uapi")), ("system", "/usr/include")):
        os.makedirs(os.path.join(made, folder), exist_ok=True)
        if not os.path.lexists(os.path.join(made, folder, "uapi")):
            os.symlink(os.path.abspath(target), os.path.join(made, folder, "uapi"))
    write_output(["/usr/bin/python3", os.path.join(tree, "scripts/bpf_doc.py"), "--header", "--file",
                  os.path.join(tree, "tools/include/uapi/linux/bpf.h")],
                 os.path.join(made, "bpf", "bpf_helper_defs.h"))
    write_output(["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"],
                 os.path.join(made, "vmlinux.h"))
    with open(os.path.join(made, "kernel_names.h"), "w", encoding="utf-8") as file:
        file.write(KERNEL_NAMES)
    tests = os.path.join(tree, "tools/testing/selftests/bpf")
    multiarch = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True,
                               check=True).stdout.strip()
    return ["-I" + made, "-I" + os.path.join(made, "system"), "-I" + os.path.join(made, "bpf"), "-I" + tests,
            "-I" + os.path.join(tree, "samples/bpf"), "-I" + os.path.join(tree, "tools/include/uapi"),
            "-idirafter", "/usr/include/" + multiarch]


def libbpf(version, tree, cache):
    """Builds that tree's libbpf.so: Debian's own is older than its newest kernel source."""
    path = os.path.join(cache, f"libbpf-{version}.so")
    if os.path.exists(path):
        return path
    tools = os.path.join(tree, "tools")
    includes = [f"-I{tools}/{folder}" for folder in ("include", "include/uapi", "lib/bpf")]
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-w", "-D_GNU_SOURCE", *includes,
                    "-I" + os.path.join(cache, f"include-{version}", "bpf"),
                    *glob.glob(os.path.join(tools, "lib/bpf/*.c")), "-o", path + ".new",
                    "-lelf", "-lz"], check=True)
    os.rename(path + ".new", path)
    return path


def sources(tree):
    """Sources that speak of XDP: a few too many, the objects decide."""
    for folder in FOLDERS:
        for path in sorted(glob.glob(os.path.join(tree, folder, "*.c"))):
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            # samples/bpf holds the programs for user space too.
            if re.search(r'SEC\("\??xdp|struct xdp_md\b|#include "[^"]*xdp[^"]*\.c"', text):
                yield folder, path


class Object:
    """One source compiled for one -mcpu; obj.error is the compiler's word if it was not."""

    def __init__(self, version, folder, source, cpu, obj):
        self.version, self.folder, self.source, self.cpu, self.obj = version, folder, source, cpu, obj
        self.name = f"{version}/{folder.split('/')[0]}/{os.path.basename(source)[:-2]}"
        self.error = ""

    def commands(self, includes):
        """What makes self.obj + ".new"."""
        new, folder = self.obj + ".new", os.path.dirname(self.source)
        clang = [CLANG, "-target", "bpf", "-mcpu=" + self.cpu, "-g", "-O2", "-std=gnu11",
                 "-fno-strict-aliasing", "-Wno-everything", "-D__TARGET_ARCH_x86", "-D__x86_64__",
                 "-DENABLE_ATOMICS_TESTS", "-I" + folder, *includes, "-c"]
        with open(self.source, encoding="utf-8", errors="replace") as file:
            text = file.read()
        if self.folder == "samples/bpf" and "vmlinux.h" not in text:
            clang += ["-include", "kernel_names.h"]
        if f'#include "{SHARED_SAMPLE}.h"' not in text:
            return [[*clang, self.source, "-o", new]]
        # As samples/bpf/Makefile has it: this one's counters lie in a second object.
        return [[*clang, self.source, "-o", self.obj + ".1"],
                [*clang, os.path.join(folder, SHARED_SAMPLE + ".c"), "-o", self.obj + ".2"],
                ["bpftool", "gen", "object", new, self.obj + ".1", self.obj + ".2"]]

    def compile(self, includes):
        errors = self.obj + ".errors"
        if os.path.exists(self.obj):
            return
        if not os.path.exists(errors):
            for command in self.commands(includes):
                done = subprocess.run(command, capture_output=True, text=True, check=False,
                                      timeout=LONGEST_COMPILE_S)
                if done.returncode:
                    break
            else:
                os.rename(self.obj + ".new", self.obj)
                return
            with open(errors, "w", encoding="utf-8") as file:
                file.write(done.stderr)
        with open(errors, encoding="utf-8") as file:
            found = re.findall(r"^.*(?:[Ee]rror|fatal)[^:]*: (.*)$", file.read(), re.MULTILINE)
        self.error = found[0] if found else "the compiler failed"


def newest_libbpf(cache):
    """The newest of these trees' libbpf.so, which knows all that the objects use."""
    os.makedirs(cache, exist_ok=True)
    tree = unpack(VERSIONS[-1], cache)
    headers(VERSIONS[-1], tree, cache)
    return libbpf(VERSIONS[-1], tree, cache)


def build(cache, versions, cpus, wanted):
    """Yields each Object whose name holds @wanted, compiled or with its error."""
    os.makedirs(cache, exist_ok=True)
    for version in versions:
        tree = unpack(version, cache)
        includes = headers(version, tree, cache)
        for folder, source in sources(tree):
            for cpu in cpus:
                out = os.path.join(cache, "objects", cpu, version, folder.split("/")[0])
                os.makedirs(out, exist_ok=True)
                o = Object(version, folder, source, cpu,
                           os.path.join(out, os.path.basename(source)[:-2] + ".o"))
                if wanted in o.name:
                    o.compile(includes)
                    yield o
