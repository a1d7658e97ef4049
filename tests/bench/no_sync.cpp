// For LD_PRELOAD: makes fsync and fdatasync do nothing, so that a bench can measure what they cost.

#include <unistd.h>

extern "C" {

int fsync(int /*descriptor*/) {
    return 0;
}

int fdatasync(int /*descriptor*/) {
    return 0;
}
}
