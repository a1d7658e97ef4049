#include "common/process/supervisor/supervisor.hpp"

int main(int argc, char** argv) {
    trebuchet::supervise_phase(argc, argv);
}
