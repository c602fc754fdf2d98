# A thin door to meson: `make` builds everything under build/, `make check` runs the tests without root.
BUILD ?= build
PREFIX ?= /usr/local

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD) --prefix $(PREFIX)

check: all
	meson test -C $(BUILD) --print-errorlogs
	tools/check-layers

install: all
	meson install -C $(BUILD) --no-rebuild

format:
	clang-format-14 -i $$(git ls-files '*.c' '*.h')

# A machine with cgroup v2, every capability and a working /dev/kvm: make bed CMD='ls /sys/fs/cgroup'
bed:
	tests/bed/bed -- sh -c '$(CMD)'

clean:
	rm -rf $(BUILD)

.PHONY: all check install format bed clean
