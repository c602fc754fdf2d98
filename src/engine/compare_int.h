/* compare_int.h - what the files of compare share: what one wall showed, as numbers */
#ifndef ENGINE_COMPARE_INT_H
#define ENGINE_COMPARE_INT_H

#include "engine/compare.h"

#define STARTS_MAX 10

/* What ketch-probe printed (main/ketch-probe.c). */
struct probe_result {
	char *kernel, *boot_id;
	uint64_t processes, devices, capabilities, seccomp, cpus, memory_bytes;
	uint64_t syscall_ps, fork_ps, page_fault_ps;
	uint64_t hash_bytes_s, files_s, fsyncs_s, write_bytes_s, read_bytes_s;
	uint64_t pss_bytes; /* its own */
};

/* What the host sees of it while it idles. */
struct host_cost {
	int processes; /* monitor, VMM, file servers, workload */
	uint64_t pss_bytes; /* of all of them */
	uint64_t cgroup_bytes;
	uint64_t writable_bytes; /* of the disk, by the instance's directory */
	uint64_t image_bytes; /* of the disk, by the image in the form that this wall takes */
	uint32_t uid; /* of the process that faces the host's kernel: workload or VMM */
	int capabilities, seccomp; /* of the same; seccomp as in /proc/PID/status */
};

struct wall {
	int isolation;
	struct err error; /* error.no: why it does not work here */
	bool emulated;
	int64_t starts_ns[STARTS_MAX]; /* sorted */
	size_t n_starts;
	int64_t workload_ns, workload_first_ns; /* -1: it printed nothing */
	int workload_status;
	bool workload_stopped; /* it did not end by itself */
	struct probe_result probe;
	struct host_cost cost;
	int syscalls; /* that its filter lets through; -1: no filter */
};

/* compare_run.c: one instance */

struct run_wish {
	bool until_line; /* stop looking once a whole line has come, and leave it running */
	int deadline_ms;
};

struct run_result {
	struct instance_spec spec;
	struct buf out; /* the beginning of stdout */
	int64_t first_ns, total_ns; /* since before its creation; first: -1 when it printed nothing */
	int status; /* -1: it had not ended */
};

int compare_run(struct engine *en, const struct run_request *rq, const struct run_wish *w,
		struct run_result *ret, struct err *e);
/* Ends and removes the instance. */
void run_result_done(struct engine *en, struct run_result *r);

/* compare_cost.c */
int compare_cost(struct engine *en, const struct instance_spec *spec, struct host_cost *ret, struct err *e);
/* Processes of the whole host. */
int compare_host_processes(void);
/* compare_probe.c: the probe's line */
extern const struct jtable probe_table;
/* Counts the calls that a compiled filter lets through. */
int compare_count_syscalls(int filter_fd);
/* compare_rows.c: both walls as rows; the report has room for them */
int compare_add_rows(const struct wall *container, const struct wall *vm, struct compare_report *r);

#endif
