// power_cut.so: a power cut without a device. Loaded into a process (LD_PRELOAD), it keeps beside each file of one directory the image that
// would survive if the power went now and nothing unsynced had reached the disk: what was written is copied to the image when it is synced.
//
//   POWER_CUT_DIRECTORY   files below it are followed
//   POWER_CUT_IMAGE       where the images lie, with the same names
//
// A list of what was written and not synced is kept beside each image ("NAME.dirty", pairs of offset and length), so that a cut can also
// let an arbitrary part of it reach the disk.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 64
#define RANGES 65536

struct range { int64_t offset, length; };
struct followed { char name[256]; struct range *ranges; size_t count; };

static struct followed files[FILES];
static size_t file_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void give_up(const char *what) {
  dprintf(2, "power_cut: %s: %s\n", what, strerror(errno));
  abort();
}

// The followed file behind a descriptor; NULL where it is none. Called with the lock held.
static struct followed *find(int descriptor, char *path, size_t size) {
  const char *directory = getenv("POWER_CUT_DIRECTORY");
  if (!directory || !getenv("POWER_CUT_IMAGE")) return NULL;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, size - 1);
  if (length <= 0) return NULL;
  path[length] = 0;
  size_t prefix = strlen(directory);
  if (strncmp(path, directory, prefix) || path[prefix] != '/') return NULL;
  const char *name = path + prefix + 1;
  // Shared memory of the write-ahead log is no file that must survive; subdirectories hold what is written once.
  if (strchr(name, '/') || strstr(name, "-shm") || strlen(name) > 200) return NULL;
  for (size_t place = 0; place < file_count; place++)
    if (!strcmp(files[place].name, name)) return &files[place];
  if (file_count == FILES) give_up("too many files");
  struct followed *file = &files[file_count++];
  strcpy(file->name, name);
  file->ranges = malloc(RANGES * sizeof(struct range));
  if (!file->ranges) give_up("no memory");
  return file;
}

static void image_path(const struct followed *file, const char *suffix, char *path, size_t size) {
  snprintf(path, size, "%s/%s%s", getenv("POWER_CUT_IMAGE"), file->name, suffix);
}

static void wrote(int descriptor, int64_t offset, int64_t length) {
  char path[4096];
  pthread_mutex_lock(&lock);
  struct followed *file = find(descriptor, path, sizeof path);
  if (file && length > 0) {
    struct range *last = file->count ? &file->ranges[file->count - 1] : NULL;
    if (last && last->offset + last->length == offset) {
      last->length += length;
    } else {
      if (file->count == RANGES) give_up("too much was written without a sync");
      file->ranges[file->count++] = (struct range){offset, length};
    }
    char dirty[4096];
    image_path(file, ".dirty", dirty, sizeof dirty);
    int out = open(dirty, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (out < 0) give_up(dirty);
    dprintf(out, "%lld %lld\n", (long long)offset, (long long)length);
    close(out);
  }
  pthread_mutex_unlock(&lock);
}

static void synced(int descriptor) {
  char path[4096], image[4096], dirty[4096];
  static char buffer[1 << 16];
  pthread_mutex_lock(&lock);
  struct followed *file = find(descriptor, path, sizeof path);
  if (file) {
    static int (*real_fdatasync)(int);
    if (!real_fdatasync) real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    image_path(file, "", image, sizeof image);
    image_path(file, ".dirty", dirty, sizeof dirty);
    int in = open(path, O_RDONLY | O_CLOEXEC), out = open(image, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (in < 0 || out < 0) give_up(image);
    static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
    if (!real_pwrite) real_pwrite = (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
    for (size_t place = 0; place < file->count; place++) {
      struct range range = file->ranges[place];
      while (range.length > 0) {
        ssize_t got = pread(in, buffer, range.length < (int64_t)sizeof buffer ? (size_t)range.length : sizeof buffer, range.offset);
        if (got <= 0) break;
        if (real_pwrite(out, buffer, (size_t)got, range.offset) != got) give_up(image);
        range.offset += got;
        range.length -= got;
      }
    }
    struct stat state;
    if (fstat(in, &state) || ftruncate(out, state.st_size)) give_up(image);
    file->count = 0;
    unlink(dirty);
    close(in);
    close(out);
  }
  pthread_mutex_unlock(&lock);
}

// The function of the C library that has the name of the one it is used in.
#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int fsync(int descriptor) {
  REAL(fsync);
  int result = real(descriptor);
  if (!result) synced(descriptor);
  return result;
}

int fdatasync(int descriptor) {
  REAL(fdatasync);
  int result = real(descriptor);
  if (!result) synced(descriptor);
  return result;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  REAL(pwrite);
  ssize_t result = real(descriptor, bytes, count, offset);
  if (result > 0) wrote(descriptor, offset, result);
  return result;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
  REAL(pwrite64);
  ssize_t result = real(descriptor, bytes, count, offset);
  if (result > 0) wrote(descriptor, offset, result);
  return result;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
  REAL(write);
  ssize_t result = real(descriptor, bytes, count);
  if (result > 0) {
    off_t end = lseek(descriptor, 0, SEEK_CUR);
    if (end >= result) wrote(descriptor, end - result, result);
  }
  return result;
}
