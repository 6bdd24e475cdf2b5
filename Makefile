# Makefile - builds, runs, tests and installs mod_identityimg. `make help` lists what it can do.
#
# SANITIZE=1 builds and runs with the address and undefined-behavior sanitizers (SANITIZE=fuzz, which
# `make fuzzers` sets, with those of clang and libFuzzer's eyes), FAULTS=1 builds what tests make fail at
# named points (base/fault.h), beside the product. CLIENT=0 leaves out the pages. WERROR=0 lets warnings pass, V=1 shows commands. PORT,
# STATE, STORAGE, S3_ENDPOINT, S3_BUCKET, S3_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
# GEMINI_ENDPOINT and GEMINI_API_KEY reach scripts/serve through the environment.
#
# apxs and pkg-config are asked when something is built, never while this file is read: `make run`
# on a new machine has to install them first.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --no-builtin-rules

SANITIZE ?= 0
FAULTS   ?= 0
CLIENT   ?= 1
WERROR   ?= 1
DESTDIR  ?=
kind     := $(or $(and $(filter 1,$(SANITIZE)),sanitize),$(and $(filter fuzz,$(SANITIZE)),fuzz),plain)$(if $(filter 1,$(FAULTS)),-faults)
out      := build/$(kind)
Q        := $(if $(filter 1,$(V)),,@)
export IIMG_SANITIZE := $(SANITIZE)

# Built and installed files are readable for all users, whatever the umask. A closed output (make start | head -1)
# must not end a recipe.
.SHELLFLAGS := -c 'umask 022; trap "" PIPE; eval "$$1"' sh
run start start-s3 stop status: .SHELLFLAGS := -c 'trap "" PIPE; eval "$$1"' sh
test test-fast check analyze coverage soak fuzz bench: .SHELLFLAGS := -c
# For builds that `make check` and the like start: as many jobs as processors, unless make was given a number.
jobs = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
say = @echo "  $(1)" 2>/dev/null || :

# once NAME,COMMAND: a variable that asks the command when it is first used
once = $(eval $(1) = $$(eval $(1) := $$(shell $(2)))$$($(1)))
needs    := libpq jansson gmime-3.0 libcurl libcrypto
codecs   := vips lcms2 libjpeg libseccomp pangoft2 fontconfig
aprs     := apr-1 apr-util-1
$(call once,apxs_cppflags,apxs -q EXTRA_CPPFLAGS)
$(call once,httpd_headers,apxs -q INCLUDEDIR)
$(call once,libexecdir,apxs -q LIBEXECDIR)
$(call once,needs_cflags,pkg-config --cflags $(needs) $(aprs))
$(call once,needs_libs,pkg-config --libs $(needs))
$(call once,aprs_libs,pkg-config --libs $(aprs))
$(call once,codecs_cflags,pkg-config --cflags $(codecs))
$(call once,codecs_libs,pkg-config --libs $(codecs))
# libvips looks for its modules below $VIPSHOME at the place that it was configured with.
$(call once,vips_modules,echo `pkg-config --variable=libdir vips`/vips-modules-`pkg-config --modversion vips | cut -d. -f1-2`)

CC        = $(if $(filter fuzz,$(kind)),clang,gcc)
OPTIMIZE ?= -O2 -g
# Without: the arguments that httpd's hooks must have and ours need not use, and the empty last row
# of httpd's tables of directives.
WARNINGS  = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wwrite-strings -Wno-unused-parameter -Wno-missing-field-initializers \
            $(if $(filter 1,$(WERROR)),-Werror)
SANITIZER = $(if $(filter plain%,$(kind)),,-fsanitize=address -fsanitize=undefined \
            -fno-omit-frame-pointer -fno-sanitize-recover=undefined \
            $(if $(filter fuzz,$(kind)),-fsanitize=fuzzer-no-link))
# Other projects' headers are system headers, whose warnings are not ours.
system    = $(patsubst -I%,-isystem %,$(filter-out -I/usr/include/%-linux-gnu,$(1)))
# Against memory errors; not with the sanitizers, whose interceptors _FORTIFY_SOURCE bypasses, and it needs optimization.
hardening = $(if $(filter plain%,$(kind)),-fstack-protector-strong -fstack-clash-protection $(control_flow))
fortify   = $(if $(and $(filter plain%,$(kind)),$(filter-out -O0,$(filter -O%,$(OPTIMIZE)))),$(if \
            $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
$(call once,control_flow,$(CC) -dumpmachine | sed -n 's/^\(x86_64\|i[3-6]86\)-.*/-fcf-protection/p')
# CPPFLAGS, CFLAGS and LDFLAGS of the environment or the command line (dpkg-buildflags) follow these, and so prevail.
cppflags  = -Imod_identityimg $(if $(filter 1,$(FAULTS)),-DIIMG_FAULTS) $(call system,$(needs_cflags)) $(apxs_cppflags) \
            $(fortify) -DIIMG_WORKER_PROGRAM='"$(libexec)/identityimg-worker"'
cflags    = -std=gnu11 $(OPTIMIZE) -fPIC $(hardening) $(WARNINGS) $(SANITIZER)
ldflags   = -Wl,--as-needed -Wl,-z,relro -Wl,-z,now $(SANITIZER)
program   = -pie $(ldflags) $(LDFLAGS)

below     := functions serializers models services base
above     := views server
sources   := $(shell find mod_identityimg tests/unit -name '*.c')
c_files    = $(sort $(foreach floor,$(1),$(filter mod_identityimg/$(floor)/%.c,$(sources))))
lib_o     := $(patsubst %.c,$(out)/%.o,$(call c_files,$(below)))
module_o  := $(patsubst %.c,$(out)/%.o,$(wildcard mod_identityimg/*.c) $(call c_files,$(above)))
unit_c    := $(sort $(filter tests/unit/%_test.c,$(sources)))
unit      := $(patsubst tests/unit/%.c,$(out)/unit/%,$(unit_c))
fuzz_c    := $(sort $(wildcard tests/fuzz/*_fuzz.c))
fuzzers   := $(patsubst tests/fuzz/%.c,$(out)/fuzz/%,$(fuzz_c))
openapi   := mod_identityimg/openapi.json
# The admin's pages: the same files for each kind of build.
client    := $(if $(filter 1,$(CLIENT)),build/client/index.html)
client_in  = $(shell find client \( -name node_modules -o -name schema.d.ts \) -prune -o -type f -print) $(openapi) mod_identityimg/base/version.h
module_o  += $(out)/mod_identityimg/openapi.o
ctl_o     := $(patsubst %.c,$(out)/%.o,$(call c_files,ctl))
module    := $(out)/mod_identityimg.so
ctl       := $(out)/identityimgctl
lib       := $(out)/libidentityimg.a
worker    := $(out)/identityimg-worker
worker_o  := $(patsubst %.c,$(out)/%.o,$(call c_files,worker))
worker_lib := $(out)/libidentityimg-worker.a
# For tests: the worker whose pictures misbehave.
rogue     := $(out)/identityimg-rogue-worker
# For tests: what makes small pictures of all kinds.
corpus    := $(out)/corpus
libexec   := /usr/lib/identityimg
# Parts of the worker that need no codec: the metadata filter, and resampling. Never for httpd; tests link it too.
resample  := $(out)/mod_identityimg/worker/resample.o
metadata_o := $(patsubst %.c,$(out)/%.o,$(call c_files,worker/metadata)) $(resample)
metadata  := $(out)/libmetadata.a
programs  := $(patsubst tests/programs/%.c,$(out)/programs/%,$(sort $(wildcard tests/programs/*.c)))

.PHONY: all build unit fuzzers run start start-s3 stop status test test-fast soak fuzz bench check analyze coverage \
    format compile-commands hooks docs install install-files deps clean help

all: build

build: $(module) $(worker) $(ctl) $(client) ## build the module, its worker, identityimgctl and the pages (the default)
	@:

unit: $(unit) $(programs) $(rogue) $(corpus) ## build the unit tests, and programs that other tests run
	@:

run: ## install what is missing, build, and run in the foreground until Ctrl-C
	@scripts/deps run
	@$(MAKE) build
	@scripts/serve run

start: ## the same in the background
	@scripts/deps run
	@$(MAKE) build
	@scripts/serve start

start-s3: ## as start, with pictures in a private S3 store (Ceph's radosgw)
	@scripts/deps run s3
	@$(MAKE) build
	@scripts/start-s3

stop: ## stop what `make start` started
	@scripts/serve stop

status: ## say what runs
	@scripts/serve status

test: ## run all tests
	@scripts/deps test
	@scripts/deps s3 || echo "Without them, tests of S3 stores are skipped." >&2
	@$(MAKE) build unit
	@$(MAKE) build FAULTS=1
	@tests/run

soak: ## kill processes at random for SOAK_SECONDS (600), at each point, with each store; park requests for PARK_SECONDS (1800); then upload, and filter, 20,000 damaged pictures
	@scripts/deps test
	@scripts/deps s3 || echo "Without them, only a directory is tried." >&2
	@$(MAKE) build
	@$(MAKE) build FAULTS=1
	@KILL_POINTS=all STORE_FAULTS=all SOAK_SECONDS=$${SOAK_SECONDS:-600} tests/run tests/t/kill_points.t \
	    tests/t/kill_points_s3.t tests/t/store_faults.t tests/t/random_kills.t tests/t/random_kills_s3.t
	@SOAK_SECONDS=$${PARK_SECONDS:-1800} tests/run tests/t/park_soak.t
	@$(MAKE) unit
	@IIMG_MUTATIONS=$${IIMG_MUTATIONS:-20000} tests/run tests/t/damaged.t
	@$(MAKE) SANITIZE=1 build unit
	@IIMG_SANITIZE=1 IIMG_MUTATIONS=$${IIMG_MUTATIONS:-20000} tests/run tests/t/metadata.t

fuzz: ## fuzz the parsers of untrusted bytes, FUZZ_SECONDS (600) for each target
	@scripts/deps fuzz
	@$(MAKE) fuzzers
	@tests/fuzz/run

fuzzers: ## build the fuzz targets
	@$(if $(filter fuzz,$(kind)),:,$(MAKE) SANITIZE=fuzz fuzzers)

ifeq ($(kind),fuzz)
fuzzers: $(fuzzers)
endif

bench: ## measure
	@scripts/deps bench
	@$(MAKE) build build/plain/programs/pipeline build/plain/libvips-alone
	@tests/bench/run
	@tests/bench/storage
	@tests/bench/generations
	@tests/bench/pages

check: ## check in a minute what needs no server: layout, lint, types, unit tests, structure, spelling
	@scripts/deps check
	@scripts/node-packages client
	@$(MAKE) $(jobs) unit
	@scripts/check

test-fast: ## run all tests but those of kill points, the engine, parking, the pages, and other slow ones
	@scripts/deps test
	@$(MAKE) build unit
	@tests/run --fast

analyze: ## analyze the C sources with clang-tidy, gcc -fanalyzer and cppcheck
	@scripts/deps analyze
	@$(MAKE) $(jobs) CLIENT=0 build
	@scripts/analyze

coverage: ## test a build with gcov's counters; print lines and branches by room (COVERAGE= names tests)
	@scripts/deps test coverage
	@scripts/coverage $(COVERAGE)

format: ## lay out all sources: C, Perl, TypeScript, JavaScript, CSS
	@scripts/deps check
	@scripts/node-packages client
	@git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i
	@scripts/check-perl format
	@client/node_modules/.bin/prettier --write --log-level warn .

compile-commands: ## write compile_commands.json, for editors
	@scripts/compile-commands

hooks: ## install a git hook that runs the quick steps of `make check` before each commit
	@install -m 0755 scripts/pre-commit "$$(git rev-parse --git-path hooks)/pre-commit"
	@echo "Installed $$(git rev-parse --git-path hooks)/pre-commit; delete it to undo this."

docs: ## write docs/api anew from openapi.json
	@node scripts/api-docs.mjs

deps: ## install the packages that building and running need
	@scripts/deps run

clean: ## remove what was built; the state in var/ stays
	rm -rf build

help: ## print this
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/    make \1|\2/p' Makefile | while IFS='|' read -r what does; do \
	    printf '%-18s %s\n' "$$what" "$$does"; done

# Files for a2enmod and the operator. The packaged .load names the installed path of the module. Files that the
# operator edits are kept (scripts/install-conf).
share = $(DESTDIR)/usr/share/identityimg
mods  = $(DESTDIR)/etc/apache2/mods-available
# Where the API is for the pages, if its <Location> has moved.
API_PATH ?= /api/v1
install: build ## install module, worker, configuration, migrations (DESTDIR= for packages)
	@umask 022 && $(MAKE) install-files

install-files: ## install what is built already
	install -d "$(DESTDIR)$(libexecdir)" "$(DESTDIR)/usr/sbin" "$(share)" "$(share)/sql" "$(share)/sql/migrations" "$(share)/scripts" \
	    "$(share)/examples" "$(DESTDIR)$(libexec)" "$(DESTDIR)$(libexec)/$(vips_home)"
	install -m 0644 $(module) "$(DESTDIR)$(libexecdir)/mod_identityimg.so"
	install -m 0755 $(worker) "$(DESTDIR)$(libexec)/identityimg-worker"
	ln -sfn $(vips_modules)/vips-heif.so "$(DESTDIR)$(libexec)/$(vips_home)/vips-heif.so"
	install -m 0755 $(ctl) "$(DESTDIR)/usr/sbin/identityimgctl"
	install -m 0644 sql/*.sql "$(share)/sql"
	install -m 0644 sql/migrations/*.sql "$(share)/sql/migrations"
	install -m 0755 scripts/migrate "$(share)/scripts"
	install -m 0644 conf/examples/*.conf "$(share)/examples"
	rm -rf "$(share)/client"
	if [ -f build/client/index.html ]; then \
	    cp -R build/client "$(share)/client" && chmod -R u=rwX,go=rX "$(share)/client" && \
	    sed -i 's|content="/api/v1"|content="$(API_PATH)"|' "$(share)/client/index.html"; \
	fi
	sed 's|"$${IIMG_MODULE}"|$(libexecdir)/mod_identityimg.so|' conf/identityimg.load >$(out)/identityimg.load
	if [ -n "$(DESTDIR)" ] || [ -d "$(mods)" ]; then \
	    scripts/install-conf "$(mods)" $(out)/identityimg.load conf/identityimg.conf conf/identityimg-pages.conf; \
	else \
	    echo "$(mods) is missing: copy $(out)/identityimg.load and conf/*.conf to httpd's configuration folder." >&2; \
	fi

# Only these see httpd's headers.
$(module_o): cppflags += -isystem $(or $(httpd_headers),$(error apxs is not installed: make deps))

$(module): $(module_o) $(lib) $(out)/exports
	$(call say,LD  $@)
	$(Q)$(CC) -shared $(ldflags) $(LDFLAGS) -Wl,--version-script=$(out)/exports -o $@ $(module_o) $(lib) $(needs_libs)

# The API's description goes in as it is, with a digest for its ETag.
$(out)/mod_identityimg/openapi.o: mod_identityimg/openapi.S $(openapi) Makefile
	@mkdir -p $(@D)
	$(call say,AS  $<)
	$(Q)$(CC) $(hardening) -DIIMG_OPENAPI_DIGEST="\"$$(sha256sum <$(openapi) | cut -c1-32)\"" -c -o $@ $<

# Its loops are to be vectorized.
$(resample): cflags += -O3

# Only these see libvips: httpd never maps it.
$(worker_o) $(out)/tests/worker/%.o: cppflags += $(call system,$(codecs_cflags))

$(worker_lib): $(filter-out %/main.o $(metadata_o),$(worker_o))
	@rm -f $@
	$(call say,AR  $@)
	$(Q)ar qcs $@ $^

# libvips' one module that is wanted, where libvips looks for it.
vips_home = vips$(patsubst /usr%,%,$(vips_modules))
$(out)/vips: Makefile
	@rm -rf $@
	@mkdir -p $(out)/$(vips_home)
	$(Q)ln -s $(vips_modules)/vips-heif.so $(out)/$(vips_home)/vips-heif.so

$(worker): $(out)/mod_identityimg/worker/main.o $(worker_lib) $(metadata) $(lib) | $(out)/vips
	$(call say,LD  $@)
	$(Q)$(CC) $(program) -o $@ $^ $(codecs_libs) $(aprs_libs) -lm

# All of the worker but what it does with a picture.
$(rogue): $(out)/mod_identityimg/worker/main.o $(out)/tests/worker/rogue.o $(worker_lib) $(metadata) $(lib) | $(out)/vips
	$(call say,LD  $@)
	$(Q)$(CC) $(program) -o $@ $^ $(codecs_libs) $(aprs_libs) -lm

$(out)/libvips-alone: $(out)/tests/worker/libvips_alone.o
	$(call say,LD  $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(codecs_libs)

$(corpus): $(out)/tests/worker/corpus.o
	$(call say,LD  $@)
	$(Q)$(CC) $(program) -o $@ $^ $(codecs_libs)

# httpd looks for the module's record alone.
$(out)/exports: Makefile
	@mkdir -p $(@D)
	@echo '{ global: identityimg_module; local: *; };' >$@

# Without Node there are no pages, and no file: then this is asked, and says so, each time.
build/client/index.html: $(client_in) scripts/build-client scripts/node-packages
	@mkdir -p build
	@scripts/build-client

$(ctl): $(ctl_o) $(lib)
	$(call say,LD  $@)
	$(Q)$(CC) $(program) -o $@ $(ctl_o) $(lib) $(needs_libs) $(aprs_libs)

$(lib): $(lib_o)
	@rm -f $@
	$(call say,AR  $@)
	$(Q)ar qcs $@ $(lib_o)

$(metadata): $(metadata_o)
	@rm -f $@
	$(call say,AR  $@)
	$(Q)ar qcs $@ $(metadata_o)

$(out)/programs/%: $(out)/tests/programs/%.o $(metadata) $(lib)
	@mkdir -p $(@D)
	$(call say,LD  $@)
	$(Q)$(CC) $(program) -o $@ $< $(metadata) $(lib) $(needs_libs) $(aprs_libs)

# Of the worker's tests only those of its colors need the codecs.
$(out)/unit/worker/color_test $(out)/unit/worker/tone_map_test: codecs_wanted = $(codecs_libs)
$(out)/tests/unit/worker/color_test.o $(out)/tests/unit/worker/tone_map_test.o: cppflags += $(call system,$(codecs_cflags))
$(out)/unit/%: $(out)/tests/unit/%.o $(metadata) $(lib)
	@mkdir -p $(@D)
	$(call say,LD  $@)
	$(Q)$(CC) $(program) -o $@ $< $(metadata) $(lib) $(needs_libs) $(codecs_wanted) $(aprs_libs) -lm

$(out)/tests/unit/%.o: cppflags += -Itests/unit
# Tests of server/ and views/ see httpd through its headers alone.
$(out)/tests/unit/server/%.o $(out)/tests/unit/views/%.o: cppflags += -isystem $(or $(httpd_headers),$(error apxs is not installed: make deps))

$(out)/fuzz/%: $(out)/tests/fuzz/%.o $(out)/tests/fuzz/fuzz.o $(metadata) $(lib)
	@mkdir -p $(@D)
	$(call say,LD  $@)
	$(Q)$(CC) $(ldflags) $(LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(metadata) $(lib) $(needs_libs) $(aprs_libs)

$(out)/tests/fuzz/%.o: cppflags += -Itests/fuzz

$(out)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC  $<)
	$(Q)$(CC) $(cppflags) $(CPPFLAGS) $(cflags) $(CFLAGS) -MMD -MP -c -o $@ $<

.SECONDARY:
-include $(shell find $(out) -name '*.d' 2>/dev/null)
