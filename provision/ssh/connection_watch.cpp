#include "provision/ssh/connection_watch.hpp"

namespace trebuchet {

std::string_view connection_watch() {
    // Fields of /proc/PID/stat behind the name, which may hold blanks: state, parent, process group, session.
    return R"((
trap '' TERM HUP
read -r stat </proc/$$/stat && set -- ${stat##*) } && group=$3 leader=$4 &&
read -r stat </proc/$leader/stat && set -- ${stat##*) } && server=$2 || exit
while [ -d /proc/$server ]; do
[ -d /proc/$$ ] || exit
sleep 1
done
kill -TERM -$group
sleep 5
kill -KILL -$group
) </dev/null >/dev/null 2>&1 &
)";
}

}  // namespace trebuchet
