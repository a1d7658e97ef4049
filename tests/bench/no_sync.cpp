// As LD_PRELOAD: making bytes durable takes no time, so that a bench can tell what it costs.

#include <unistd.h>

extern "C" {

int fsync(int /*descriptor*/) {
    return 0;
}

int fdatasync(int /*descriptor*/) {
    return 0;
}
}
